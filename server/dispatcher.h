#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "protocol/byte_buffer.h"
#include "protocol/command_parser.h"
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
    Close  // send what there is and close
  };
  struct Outcome {
    State state = State::NeedInput;
    std::size_t consumed = 0;  // bytes of the input that are done with
    std::size_t at_least = 0;  // NeedInput: bytes that the unfinished command needs in all, 0 if unknown
  };

  /// `input` starts where the last outcome's consumed bytes ended; `progress` belongs to the connection.
  Outcome run(ClientState& client, ByteView input, resp::ParseCursor& progress, ByteBuffer& out, Instant now);

  /// Makes the loop see a change of the configuration. Cheap if there is none.
  void refresh_settings();

  /// The reply of a client whose wait is over.
  void finish_wait(ClientState& client, ByteBuffer& out, bool with_error);

 private:
  static constexpr std::size_t kBatch = 16;

  /// A parsed command; its arguments borrow from the input.
  struct Request {
    resp::Args args;
    const commands::Command* command = nullptr;
    engine::Key key;  // its first key, if has_key
    bool has_key = false;
    std::size_t end = 0;  // offset in the input behind it
  };

  std::size_t parse_batch(ClientState& client, ByteView input, std::size_t from, resp::ParseCursor& progress,
                          resp::ParseOutcome& last);
  void prefetch(const ClientState& client, std::size_t count);
  void prepare(Request& request) const;
  /// Runs parsed commands until one of them ends the burst; then `outcome.state` says how.
  bool run_batch(commands::Execution& execution, std::size_t count, Outcome& outcome);
  void run_request(commands::Execution& execution, Request& request);
  bool refuse(commands::Execution& execution, const Request& request, const commands::Command*& command);
  bool resolve(commands::Execution& execution, std::span<const ByteView> arguments, const commands::Command*& command);
  void reject(commands::Execution& execution, const commands::Command* command, ByteView text);
  void reply_protocol_error(commands::Execution& execution, const resp::ProtocolError& bad);
  void queue(commands::Execution& execution, const commands::Command& command, std::span<const ByteView> arguments);
  bool paused(const ClientState& client, const commands::Command& command, Instant now) const;
  bool must_authenticate(const ClientState& client) const;
  static void apply_reply_mode(ClientState& client, ByteBuffer& out, std::size_t reply_start);

  ServerState& server_;
  LoopState& loop_;
  std::array<Request, kBatch> batch_;
};

/// Whether memory, with `queued` bytes that a transaction holds, is within maxmemory after evicting what the policy
/// allows. No lock may be held.
bool within_memory_limit(ServerState& server, const config::Settings& settings, Instant now, std::size_t queued = 0);

}  // namespace magpie::server
