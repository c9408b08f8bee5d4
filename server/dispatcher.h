#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "protocol/command_parser.h"
#include "protocol/output_buffer.h"
#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/state/server_state.h"

namespace magpie::server {

/// Parses and executes what a client sent, and appends the replies: the parse - execute - compose pipeline of one loop,
/// without sockets. One per loop; the loop's thread only.
class Dispatcher {
 public:
  Dispatcher(ServerState& server, LoopState& loop) : server_(server), loop_(loop) {}

  enum class State : std::uint8_t {
    NeedInput,  // everything complete is executed
    OutputFull,  // the replies reached the high-water mark: send them, then go on with the rest of the input
    Blocked,  // the client waits (ClientState::blocked)
    Close,  // send what there is and close
    CutOff  // close at once; what is in `out` is not sent
  };
  struct Outcome {
    State state = State::NeedInput;
    std::size_t consumed = 0;  // bytes of the input that are done with
    std::size_t at_least = 0;  // NeedInput: bytes that the unfinished command needs in all, 0 if unknown
  };

  /// `input` starts where the last outcome's consumed bytes ended; `progress` belongs to the connection.
  Outcome run(ClientState& client, ByteView input, resp::ParseCursor& progress, OutputBuffer& out, Instant now) {
    return run(client, input, progress, out, now, {});
  }

  /// Clients whose first commands are looked at together.
  static constexpr std::size_t kHeads = 16;
  static constexpr std::size_t kFetchSteps = 2;  // of an entry: from its bucket, and from the one behind that
  /// Parses the first command of a client, as number `number` of up to kHeads, and starts the first cache miss that it
  /// will wait for, and the second ones of those before it. run_head(n) is run() for the n-th of them, with the same
  /// input and progress; while the first ones run, fetch_last_heads() goes on with those that came last.
  struct Head {
    ClientState* client;
    ByteView input;  // unchanged until run_head()
    resp::ParseCursor* progress;
  };
  void look_ahead(std::size_t number, const Head& head);
  void fetch_last_heads(std::size_t count) {
    fetch_entries(std::span(heads_).first(count).last(std::min(count, kFetchSteps)));
  }
  Outcome run_head(std::size_t number, ClientState& client, ByteView input, resp::ParseCursor& progress,
                   OutputBuffer& out, Instant now) {
    return run(client, input, progress, out, now, std::span(heads_).subspan(number, heads_[number].end > 0 ? 1 : 0));
  }

  /// Makes the loop see a change of the configuration. Cheap if there is none.
  void refresh_settings() {
    const std::uint64_t generation = server_.config.generation();
    if (generation != loop_.settings_generation) load_settings(generation);
  }

  /// The reply of a client whose wait is over. Replies that are held come first: see settle_held().
  void finish_wait(ClientState& client, OutputBuffer& out, bool with_error);
  /// For a client with replies that are held, to which those in `out` are added: true if they are to be sent now, each
  /// write that has not been confirmed as -UNKNOWN; else the client is blocked for them.
  bool settle_held(ClientState& client, OutputBuffer& out, Instant now);

 private:
  static constexpr std::size_t kBatch = 16;
  static constexpr std::size_t kEntryLag = 8;  // commands that are parsed while a bucket is on its way

  /// A parsed command; its arguments borrow from the input.
  struct Request {
    resp::Args args;
    const commands::Command* command = nullptr;
    engine::Key key;  // its first key, if has_key
    bool has_key = false;
    bool quick = false;  // of a quick command, with the right number of arguments; run_batch() looks at its size
    engine::Keyspace::Ahead ahead;
    std::size_t end = 0;  // offset in the input behind it
    std::size_t bytes() const {
      std::size_t sum = 0;
      for (const ByteView argument : args.views()) sum += argument.size();
      return sum;
    }
  };

  /// `ready` are the commands at the start of `input` that are parsed already.
  Outcome run(ClientState& client, ByteView input, resp::ParseCursor& progress, OutputBuffer& out, Instant now,
              std::span<Request> ready);
  resp::ParseLimits parse_limits(const ClientState& client) const;
  std::size_t parse_batch(const ClientState& client, ByteView input, std::size_t from, resp::ParseCursor& progress,
                          resp::ParseOutcome& last);
  /// Starts the second cache misses, once the buckets have arrived.
  static void fetch_entries(std::span<Request> requests);
  void prepare(Request& request, const ClientState& client);
  /// Runs parsed commands until one of them ends the burst; then `outcome.state` says how.
  bool run_batch(commands::Execution& execution, std::span<Request> requests, Outcome& outcome);
  static bool ends_burst(const ClientState& client, const Request& request, Outcome& outcome);
  void end_burst(ClientState& client, Lsn written, OutputBuffer& out, Outcome& outcome);
  void run_request(commands::Execution& execution, Request& request);
  /// For a quick command that is not barred.
  void run_quick(commands::QuickRun& run, commands::Execution& execution, const Request& request);
  /// Takes the command's locks and runs it, unless the client has been killed meanwhile.
  void run_locked(commands::Execution& execution, const Request& request, const commands::Command& command);
  /// As run_locked(); what a write answers is held if replicas have to have it first.
  void run_or_hold(commands::Execution& execution, const Request& request, const commands::Command& command);
  void hold_rest(ClientState& client, OutputBuffer& out, Outcome& outcome) const;
  void wait_for_replicas(ClientState& client) const;
  /// Who must have what the command did, or saw, before it is answered.
  Acks acks_of(const ClientState& client, const commands::Command& command) const;
  /// Up to where the log tells of what the command could see.
  Lsn seen_by(engine::StripeMask stripes) const;
  bool holds_all(const ClientState& client) const;
  bool may_leave(const HeldReplies& replies) const;
  /// In a shard: takes back the replies to writes that are not confirmed, if this node's lease is over (rule R19).
  bool take_back(const ClientState& client, Lsn before, OutputBuffer& out) const;
  void load_settings(std::uint64_t generation);
  commands::Flag barred_from_quick_runs(const ClientState& client) const;
  bool refuse(commands::Execution& execution, const Request& request, const commands::Command*& command);
  bool resolve(commands::Execution& execution, std::span<const ByteView> arguments, const commands::Command*& command);
  void reject(commands::Execution& execution, const commands::Command* command, ByteView text);
  void reply_protocol_error(commands::Execution& execution, const resp::ProtocolError& bad);
  void queue(commands::Execution& execution, const commands::Command& command, std::span<const ByteView> arguments);
  bool refuse_by_shard(commands::Execution& execution, const Request& request, const commands::Command& command);
  bool lacks_members(commands::Execution& execution, const commands::Command& command);
  bool send_to_leader(commands::Execution& execution, const Request& request, const commands::Command& command);
  bool wait_for_leader(commands::Execution& execution, const commands::Command& command);
  void reply_moved(commands::Execution& execution, const Request& request, const commands::Command& command,
                   const ShardPicture::Node& to);
  bool refuse_by_role(commands::Execution& execution, const commands::Command& command);
  bool paused(const ClientState& client, const commands::Command& command, Instant now) const;
  bool must_authenticate(const ClientState& client) const;
  bool lacks_room(commands::Execution& execution, const Request& request, const commands::Command& command);
  void cut_off(ClientState& client, Instant now);
  static void apply_reply_mode(ClientState& client, OutputBuffer& out, std::size_t reply_start);

  ServerState& server_;
  LoopState& loop_;
  commands::CommandFinder finder_;
  std::array<Request, kBatch> batch_;
  std::array<Request, kHeads> heads_;
};

}  // namespace magpie::server
