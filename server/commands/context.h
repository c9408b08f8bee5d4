#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "protocol/reply_writer.h"
#include "server/commands/command.h"
#include "server/commands/key_access.h"
#include "server/config/settings.h"
#include "server/state/client_state.h"
#include "server/state/server_state.h"

namespace magpie::commands {

/// One command on its way through the dispatcher: what execute() needs to make a context.
struct Execution {
  server::ServerState& server;
  server::LoopState& loop;
  server::ClientState& client;
  resp::ReplyWriter& reply;
  Instant now;
  bool in_transaction = false;
};

/// Everything that a handler may use. Lives for one command; the loop's thread only.
struct CommandContext {
  /// `ahead` is a key that was hashed already, or nullptr. Borrows everything.
  CommandContext(Execution& execution, const Command& called, std::span<const ByteView> arguments,
                 const engine::Key* ahead)
      : keys(execution.server.keyspace, execution.client.database(), execution.now, *execution.loop.statistics,
             !execution.client.no_touch, ahead),
        reply(execution.reply),
        client(execution.client),
        server(execution.server),
        loop(execution.loop),
        settings(*execution.loop.settings),
        command(called),
        argv(arguments),
        now(execution.now),
        in_transaction(execution.in_transaction) {}

  /// For the next call of the same command by the same client.
  void go_on(std::span<const ByteView> arguments, const engine::Key* ahead) {
    argv = arguments;
    keys.go_on(ahead);
  }

  KeyAccess keys;
  resp::ReplyWriter& reply;
  server::ClientState& client;
  server::ServerState& server;
  server::LoopState& loop;
  const config::Settings& settings;
  const Command& command;
  std::span<const ByteView> argv;  // with the name
  Instant now;
  bool in_transaction = false;  // run by EXEC: all locks that it needs are held, it must not block
  std::shared_ptr<const config::Settings> changed;  // by this command: in force from its end on
  std::uint64_t secrets = 0;    // arguments (bits; the name is argument 0) that logs and MONITOR must not show

  void keep_secret(std::size_t argument) {
    if (argument < 64) secrets |= std::uint64_t{1} << argument;
  }
};

/// The arguments as logs and MONITOR may show them. Borrows like the context.
std::vector<ByteView> shown_arguments(const CommandContext& context);

/// The locks that a command needs, from its row and arguments; commands with Locks::Own need all if `held_ahead`
/// (EXEC).
engine::StripeMask stripes_of(const Command& command, std::span<const ByteView> arguments, bool held_ahead);

/// Runs a command whose locks are held: handler, error reply, counters, slow log, MONITOR. `ahead` is a key that was
/// hashed already, or nullptr. Returns false if it answered an error.
bool execute(Execution& execution, const Command& command, std::span<const ByteView> arguments,
             const engine::Key* ahead);

/// Runs quick commands (Command::quick) that follow each other in a burst: what many of one kind have in common is done
/// once for all of them. They are timed and counted together, each with the mean, because reading the clock can take
/// longer than such a command; of a run that was slow, the last command is logged with the time of the whole run.
class QuickRun {
 public:
  /// Shorter times than this cannot be looked for in runs: then every command is to be timed on its own.
  static constexpr std::uint64_t kLeastSlowNs = 1'000'000;

  explicit QuickRun(Execution& execution) : execution_(execution) {}
  ~QuickRun() { end(); }
  QuickRun(const QuickRun&) = delete;
  QuickRun& operator=(const QuickRun&) = delete;

  /// As commands::execute(). What it borrows must stay until end().
  void execute(const Command& command, std::span<const ByteView> arguments, const engine::Key& key);
  /// Counts what has run. To be called before anything else runs.
  void end();

 private:
  void begin(const Command& command, std::span<const ByteView> arguments, const engine::Key& key);
  void settle();

  Execution& execution_;
  std::optional<CommandContext> context_;  // while there is a run
  std::uint64_t ended_ = 0;  // in ticks: when the run just before did; 0: there was none
  std::uint64_t started_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t failed_ = 0;
};

/// Writes an error reply and counts it; the one place where errors become bytes.
void reply_error(Execution& execution, ByteView text);

}  // namespace magpie::commands
