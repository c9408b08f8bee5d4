#include "server/dispatcher.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "protocol/numbers.h"
#include "server/commands/command_table.h"
#include "server/commands/transaction.h"
#include "server/engine/memory.h"
#include "server/limits.h"
#include "server/memory_limit.h"
#include "server/unknown_command.h"

namespace magpie::server {

using commands::Command;
using commands::Execution;

namespace {

bool is_exec(const Command& command) { return command.row->name == "exec"; }

/// The flags that a command stands for: EXEC for those of all commands that it will run.
std::uint32_t effective_flags(const ClientState& client, const Command& command) {
  return is_exec(command) ? client.transaction.row_flags : command.flags;
}

/// Inside MULTI everything takes memory, if only for its queue, but what ends the transaction.
bool takes_memory(const ClientState& client, const Command& command) {
  if (command.has(commands::kDenyOom)) return true;
  if (!client.transaction.open) return false;
  if (is_exec(command)) return (client.transaction.row_flags & commands::kDenyOom) != 0;
  const std::string_view name = command.row->name;
  return name != "discard" && name != "quit" && name != "reset";
}

/// Larger requests are not executed as quick commands: their size alone can make them slow.
constexpr std::size_t kQuickBytes = std::size_t{4} << 10;

/// What an HTTP client sends: somebody makes a browser talk to this server.
bool is_http(ByteView name) { return equals_ignore_case(name, "post") || equals_ignore_case(name, "host:"); }

}  // namespace

void Dispatcher::load_settings(std::uint64_t generation) {
  loop_.settings_generation = generation;  // read first: a change in between is seen at the next burst
  loop_.use_settings(server_.config.current());
}

/// Looks up the command and its first key, and starts the first cache miss that this will wait for.
void Dispatcher::prepare(Request& request, const ClientState& client) {
  request.command = request.args.empty() ? nullptr : finder_.find(request.args[0]);
  request.has_key = request.quick = false;
  if (request.command == nullptr) return;
  const int first = request.command->first_key;
  if (first <= 0 || static_cast<std::size_t>(first) >= request.args.size()) return;
  request.key = engine::Key::of(request.args[static_cast<std::size_t>(first)]);
  request.has_key = true;
  request.quick = request.command->quick && request.command->arity_fits(request.args.size());
  request.ahead = server_.keyspace.prefetch_bucket(client.database(), request.key);
}

resp::ParseLimits Dispatcher::parse_limits(const ClientState& client) const {
  resp::ParseLimits limits;
  limits.max_bulk = static_cast<std::uint64_t>(loop_.settings->proto_max_bulk_len);
  limits.authenticated = !must_authenticate(client);
  return limits;
}

std::size_t Dispatcher::parse_batch(const ClientState& client, ByteView input, std::size_t from,
                                    resp::ParseCursor& progress, resp::ParseOutcome& last) {
  const resp::ParseLimits limits = parse_limits(client);
  // Limits change with authentication, so a client that has not authenticated is read command by command.
  const std::size_t most = limits.authenticated ? kBatch : 1;
  std::size_t count = 0;
  std::size_t at = from;
  while (count < most) {
    if (at == input.size()) {
      last = resp::NeedMore{0};
      break;
    }
    Request& request = batch_[count];
    last = resp::parse_command(input.substr(at), limits, progress, request.args);
    const auto* parsed = std::get_if<resp::Parsed>(&last);
    if (parsed == nullptr) break;
    at += parsed->consumed;
    request.end = at;
    prepare(request, client);
    if (count >= kEntryLag) fetch_entries(std::span(batch_).subspan(count - kEntryLag, 1));
    ++count;
  }
  // A single one's bucket is not here yet.
  const std::size_t fetched = count - std::min(count, kEntryLag);
  if (count > 1) fetch_entries(std::span(batch_).subspan(fetched, count - fetched));
  return count;
}

void Dispatcher::fetch_entries(std::span<const Request> requests) {
  for (const Request& request : requests) {
    if (request.has_key) engine::Keyspace::prefetch_entry(request.ahead, request.key);
  }
}

void Dispatcher::look_ahead(std::size_t number, const Head& head) {
  refresh_settings();
  Request& request = heads_[number];
  const resp::ParseOutcome outcome =
      resp::parse_command(head.input, parse_limits(*head.client), *head.progress, request.args);
  if (const auto* parsed = std::get_if<resp::Parsed>(&outcome)) {
    request.end = parsed->consumed;
    prepare(request, *head.client);
  } else {  // run() comes to the same conclusion
    request.end = 0;
    request.has_key = false;
    if (std::holds_alternative<resp::ProtocolError>(outcome)) *head.progress = {};
  }
}

Dispatcher::Outcome Dispatcher::run(ClientState& client, ByteView input, resp::ParseCursor& progress, OutputBuffer& out,
                                    Instant now, std::span<Request> ready) {
  refresh_settings();
  resp::ReplyWriter reply(out, client.resp);
  Execution execution{server_, loop_, client, reply, now, false};
  Outcome outcome;
  if (client.blocked) {
    outcome.state = State::Blocked;
    return outcome;
  }
  client.last_activity_ms = now.ms;
  bool runs_on = ready.empty() || run_batch(execution, ready, outcome);
  while (runs_on && (ready.empty() || outcome.consumed < input.size())) {
    resp::ParseOutcome last = resp::NeedMore{0};
    const std::size_t count = parse_batch(client, input, outcome.consumed, progress, last);
    runs_on = run_batch(execution, std::span(batch_).first(count), outcome);
    if (!runs_on) {
      // The rest of the batch is parsed again later; what stands behind it was not consumed either.
      progress = {};
      break;
    }
    if (const auto* bad = std::get_if<resp::ProtocolError>(&last)) {
      reply_protocol_error(execution, *bad);
      outcome.state = State::Close;
      break;
    }
    if (const auto* more = std::get_if<resp::NeedMore>(&last)) {
      outcome.at_least = more->at_least;
      break;
    }
  }
  client.publish_flags();
  if (client.blocked && client.blocked->kind == Blocked::Kind::Wait) client.open_wait();
  return outcome;
}

bool Dispatcher::run_batch(Execution& execution, std::span<Request> requests, Outcome& outcome) {
  ClientState& client = execution.client;
  commands::QuickRun run(execution);
  bool usual = as_usual(client);
  bool room = has_room();
  for (Request& request : requests) {
    if (execution.reply.buffer().size() >= kOutputHighWater) {
      outcome.state = State::OutputFull;
      return false;
    }
    const bool quick = usual && request.quick && (room || !request.command->has(commands::kDenyOom)) &&
                       request.end - outcome.consumed <= kQuickBytes;
    if (quick) [[likely]] {
      run_quick(run, execution, request);
    } else if (!request.args.empty()) {
      run.end();
      run_request(execution, request);
      usual = as_usual(client);
      room = has_room();
    }
    if (client.blocked) [[unlikely]] {
      // A paused command has not run and is not consumed.
      if (client.blocked->kind != Blocked::Kind::Pause) outcome.consumed = request.end;
      outcome.state = State::Blocked;
      return false;
    }
    outcome.consumed = request.end;
    if (client.ending != Ending::None) [[unlikely]] {
      outcome.state = client.ending == Ending::AtOnce ? State::CutOff : State::Close;
      return false;
    }
  }
  return true;
}

void Dispatcher::run_locked(Execution& execution, const Request& request, const Command& command) {
  const std::span<const ByteView> arguments = request.args.views();
  const engine::Keyspace::Guard guard =
      server_.keyspace.lock(request.has_key && command.locks_one_key ? mask_of(request.key.stripe)
                                                                     : commands::stripes_of(command, arguments, false));
  // Under the locks: whoever sees the keys after CLIENT KILL has answered sees no later change of the client's.
  if (execution.client.killed.load()) [[unlikely]] {
    execution.client.ending = Ending::AtOnce;
    return;
  }
  commands::execute(execution, command, arguments, request.has_key ? &request.key : nullptr);
}

void Dispatcher::run_quick(commands::QuickRun& run, Execution& execution, const Request& request) {
  ClientState& client = execution.client;
  client.commands_processed.add(1);
  client.last_command = request.command;
  const engine::Keyspace::OneGuard guard = server_.keyspace.lock(request.key.stripe);
  if (client.killed.load()) [[unlikely]] {  // as in run_locked()
    client.ending = Ending::AtOnce;
    return;
  }
  run.execute(*request.command, request.args.views(), request.key);
}

void Dispatcher::run_request(Execution& execution, Request& request) {
  refresh_settings();
  ClientState& client = execution.client;
  OutputBuffer& out = execution.reply.buffer();
  const std::size_t reply_start = out.size();
  const Command* command = request.command;
  const bool refused = refuse(execution, request, command);
  if (client.blocked) return;  // by a pause: it comes again
  client.commands_processed.add(1);
  client.last_command = command;
  if (!refused) {
    if (client.transaction.open && !command->has(commands::kRunInMulti)) {
      queue(execution, *command, request.args.views());
    } else {
      run_locked(execution, request, *command);
    }
  }
  if (client.reply_mode != ReplyMode::On) [[unlikely]] {
    apply_reply_mode(client, out, reply_start);
  }
}

/// Drops the reply that CLIENT REPLY OFF or SKIP does not want.
void Dispatcher::apply_reply_mode(ClientState& client, OutputBuffer& out, std::size_t reply_start) {
  if (client.reply_mode == ReplyMode::SkipNext) {
    client.reply_mode = ReplyMode::Skip;
    return;
  }
  out.truncate(reply_start);
  // A client that waits has its reply still to come.
  if (client.reply_mode == ReplyMode::Skip && !client.blocked) client.reply_mode = ReplyMode::On;
}

void Dispatcher::reply_protocol_error(Execution& execution, const resp::ProtocolError& bad) {
  OutputBuffer& out = execution.reply.buffer();
  const std::size_t reply_start = out.size();
  commands::reply_error(execution, "ERR " + bad.message());
  if (execution.client.reply_mode != ReplyMode::On) out.truncate(reply_start);
}

void Dispatcher::reject(Execution& execution, const Command* command, ByteView text) {
  if (command != nullptr) loop_.statistics->commands[command->id].rejected.add(1);
  Transaction& transaction = execution.client.transaction;
  if (command != nullptr && is_exec(*command)) {
    commands::discard_transaction(server_.keyspace, execution.client);
    if (text.starts_with("ERR ")) text.remove_prefix(4);
    commands::reply_error(execution, "EXECABORT Transaction discarded because of: " + std::string(text));
    return;
  }
  if (transaction.open) transaction.failed = true;
  commands::reply_error(execution, text);
}

/// As Redis does with HTTP: the connection ends without a word, one line a minute tells.
void Dispatcher::cut_off(ClientState& client, Instant now) {
  constexpr std::int64_t kMinuteMs = 60'000;
  client.ending = Ending::AtOnce;
  std::int64_t last = server_.http_logged_ms.load(std::memory_order_relaxed);
  if (std::abs(now.ms - last) <= kMinuteMs) return;
  if (!server_.http_logged_ms.compare_exchange_strong(last, now.ms, std::memory_order_relaxed)) return;
  server_.control.log("Possible SECURITY ATTACK detected: POST or Host: came as a command from " + client.peer_address +
                      ", as if somebody made a web browser talk to this server. Connection aborted.");
}

/// The command by its name and number of arguments; `command` becomes the subcommand where there is one. False if it
/// was answered.
bool Dispatcher::resolve(Execution& execution, std::span<const ByteView> arguments, const Command*& command) {
  if (command == nullptr) {
    if (is_http(arguments[0])) {
      cut_off(execution.client, execution.now);
    } else {
      reject(execution, nullptr, unknown_command(arguments));
    }
    return false;
  }
  if (!command->subcommands.empty() && arguments.size() > 1) {
    const Command* parent = std::exchange(command, commands::find_subcommand(*command, arguments[1]));
    if (command == nullptr) {
      reject(execution, nullptr, unknown_subcommand(*parent, arguments[1]));
      return false;
    }
  }
  if (!command->arity_fits(arguments.size())) [[unlikely]] {
    reject(execution, command, "ERR wrong number of arguments for '" + command->full_name + "' command");
    return false;
  }
  return true;
}

bool Dispatcher::must_authenticate(const ClientState& client) const {
  return !client.authenticated && !loop_.settings->requirepass.empty();
}

/// Whether maxmemory forbids the command. Evicts a few keys; where that is not enough yet, the command runs all the
/// same and background slices evict the rest.
bool Dispatcher::out_of_memory(const Execution& execution, const Request& request, const Command& command) {
  if (!takes_memory(execution.client, command)) return false;
  const config::Settings& settings = *loop_.settings;
  const std::size_t queued = execution.client.transaction.queued_bytes;
  const std::int64_t over = engine::used_memory() + static_cast<std::int64_t>(queued) - settings.maxmemory;
  if (over <= 0) return false;
  const std::size_t most = inline_evictions(over, settings.maxmemory, request.bytes());
  return make_room(server_, settings, execution.now, queued, most) == engine::Keyspace::Room::None;
}

/// Whether quick commands of the client may run just so, as they mostly may: until another command has run, nothing
/// that refuse() looks at can change by the client itself; what others do to it counts from the next burst on.
bool Dispatcher::as_usual(const ClientState& client) const {
  return client.authenticated && !client.transaction.open && !client.monitoring && client.reply_mode == ReplyMode::On &&
         loop_.watched.slow_ns >= commands::QuickRun::kLeastSlowNs &&
         server_.pause.until_ms.load(std::memory_order_relaxed) == 0 &&
         server_.monitors.load(std::memory_order_relaxed) == 0;
}

/// Whether a whole batch of quick commands stays below maxmemory.
bool Dispatcher::has_room() const {
  constexpr auto kMost = static_cast<std::int64_t>(kBatch * kQuickBytes);
  const std::int64_t most = loop_.settings->maxmemory;
  return most == 0 || engine::used_memory() + kMost <= most;
}

/// The checks before a command may run, in Redis's order. True if it was answered or must wait.
bool Dispatcher::refuse(Execution& execution, const Request& request, const Command*& command) {
  if (!resolve(execution, request.args.views(), command)) return true;
  ClientState& client = execution.client;
  if (!client.authenticated && !command->has(commands::kNoAuth) && must_authenticate(client)) {
    reject(execution, command, text_of(resp::ErrorCode::NoAuth));
    return true;
  }
  if (client.transaction.open && command->has(commands::kNoMulti)) {
    reject(execution, command, "ERR Command not allowed inside a transaction");
    return true;
  }
  if (loop_.settings->maxmemory > 0 && out_of_memory(execution, request, *command)) {
    reject(execution, command, text_of(resp::ErrorCode::OutOfMemory));
    return true;
  }
  if (client.monitoring) [[unlikely]] {
    constexpr std::uint32_t kKeyspace = commands::kReadOnly | commands::kWrite | commands::kMayReplicate;
    if ((effective_flags(client, *command) & kKeyspace) == 0) return false;  // and it is never paused
    reject(execution, command, "ERR Replica can't interact with the keyspace");
    return true;
  }
  if (server_.pause.until_ms.load(std::memory_order_relaxed) != 0 && paused(client, *command, execution.now)) {
    client.blocked = Blocked{Blocked::Kind::Pause, Instant{server_.pause.until_ms.load(std::memory_order_relaxed)}};
    return true;
  }
  return false;
}

bool Dispatcher::paused(const ClientState& client, const Command& command, Instant now) const {
  if (!server_.pause.active(now)) return false;
  if (!server_.pause.only_writes.load(std::memory_order_relaxed)) return true;
  return (effective_flags(client, command) & (commands::kWrite | commands::kMayReplicate)) != 0;
}

void Dispatcher::queue(Execution& execution, const Command& command, std::span<const ByteView> arguments) {
  ClientState& client = execution.client;
  Transaction& transaction = client.transaction;
  // What EXEC will refuse anyway is not kept: it must not pile up memory.
  if (!transaction.failed && !client.watch_dirty.load(std::memory_order_relaxed)) {
    QueuedCommand queued;
    queued.command = &command;
    for (const ByteView argument : arguments) {
      queued.sizes.push_back(static_cast<std::uint32_t>(argument.size()));
      queued.bytes += argument;
    }
    transaction.stripes |= commands::stripes_of(command, arguments, true);
    transaction.row_flags |= command.flags;
    transaction.queued_bytes += queued.memory();
    transaction.queue.push_back(std::move(queued));
    client.multi_count = static_cast<std::int32_t>(transaction.queue.size());
    client.multi_memory = transaction.queued_bytes;
  }
  execution.reply.simple("QUEUED");
}

void Dispatcher::finish_wait(ClientState& client, OutputBuffer& out, bool with_error) {
  if (!client.blocked || client.blocked->kind == Blocked::Kind::Shutdown) return;
  const Blocked blocked = *client.blocked;
  client.blocked.reset();
  client.unblockable.store(WaitNumber::None);
  client.publish_flags();
  if (blocked.kind != Blocked::Kind::Wait) return;  // a paused command runs now and answers for itself
  const std::size_t reply_start = out.size();
  resp::ReplyWriter reply(out, client.resp);
  if (with_error) {
    reply.error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
  } else {
    if (blocked.counts_file) {
      reply.array(2);
      reply.integer(0);  // there is no file
    }
    reply.integer(0);  // no replica has confirmed
  }
  if (client.reply_mode != ReplyMode::On) apply_reply_mode(client, out, reply_start);
}

}  // namespace magpie::server
