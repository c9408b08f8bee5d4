#include "server/dispatcher.h"

#include <algorithm>
#include <utility>

#include "protocol/numbers.h"
#include "server/commands/command_table.h"
#include "server/commands/transaction.h"
#include "server/engine/memory.h"
#include "server/limits.h"

namespace magpie::server {

using commands::Command;
using commands::Execution;

namespace {

/// Larger requests are not executed as quick commands: their size alone can make them slow.
constexpr std::size_t kQuickBytes = std::size_t{4} << 10;

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
  request.quick = kShortCuts && request.command->quick && request.command->arity_fits(request.args.size());
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
  if (count > kEntryLag) fetch_entries(std::span(batch_).first(count));  // that are not in their first bucket
  return count;
}

void Dispatcher::fetch_entries(std::span<Request> requests) {
  for (Request& request : requests) {
    if (!request.has_key) continue;
    const std::size_t value = request.args.size() > 2 ? request.args[2].size() : 0;  // of SET and its like
    engine::Keyspace::prefetch_entry(request.ahead, request.key, request.key.bytes.size() + value);
  }
}

void Dispatcher::look_ahead(std::size_t number, const Head& head) {
  refresh_settings();
  fetch_last_heads(number);
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
  const Lsn written = client.last_write;
  bool runs_on = ready.empty() || run_batch(execution, ready, outcome);
  while (runs_on && (ready.empty() || outcome.consumed < input.size())) {
    refresh_settings();
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
  end_burst(client, written, out, outcome);
  return outcome;
}

/// `written` is the client's last write before the burst.
void Dispatcher::end_burst(ClientState& client, Lsn written, OutputBuffer& out, Outcome& outcome) {
  server_.note_writes(client);
  if (!client.held.empty()) {
    hold_rest(client, out, outcome);
  } else if (server_.shard.enabled() && take_back(client, written, out)) {
    outcome.state = State::Close;  // the client cannot tell which command it is for
    client.blocked.reset();
  }
  client.publish_flags();
  if (client.blocked && client.blocked->can_be_unblocked()) client.open_wait();
}

bool Dispatcher::run_batch(Execution& execution, std::span<Request> requests, Outcome& outcome) {
  commands::QuickRun run(execution);
  commands::Flag barred = barred_from_quick_runs(execution.client);
  for (Request& request : requests) {
    if (execution.reply.buffer().size() >= kOutputHighWater) {
      outcome.state = State::OutputFull;
      return false;
    }
    const std::size_t bytes = request.end - outcome.consumed;
    if (request.quick && !request.command->has(barred) && bytes <= kQuickBytes) [[likely]] {
      run_quick(run, execution, request);
    } else if (!request.args.empty()) {
      run.end();
      run_request(execution, request);
      barred = barred_from_quick_runs(execution.client);
    }
    if (ends_burst(execution.client, request, outcome)) return false;
  }
  return true;
}

/// After a command: consumes it, and tells whether nothing may follow it now.
bool Dispatcher::ends_burst(const ClientState& client, const Request& request, Outcome& outcome) {
  if (client.blocked) [[unlikely]] {
    // A command that waits for the replies before it has not run either.
    const bool comes_again = client.blocked->comes_again() || client.blocked->kind == Blocked::Kind::Confirm;
    if (!comes_again) outcome.consumed = request.end;
    outcome.state = State::Blocked;
    return true;
  }
  outcome.consumed = request.end;
  if (client.ending == Ending::None) [[likely]] {
    return false;
  }
  outcome.state = client.ending == Ending::AtOnce ? State::CutOff : State::Close;
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
  loop_.statistics->executing.store(true, std::memory_order_relaxed);
  commands::execute(execution, command, arguments, request.has_key ? &request.key : nullptr);
  loop_.statistics->executing.store(false, std::memory_order_relaxed);
}

void Dispatcher::run_quick(commands::QuickRun& run, Execution& execution, const Request& request) {
  ClientState& client = execution.client;
  client.commands_processed.add(1);
  client.last_command = request.command;
  // A wait belongs to no command's time, and after it the time has to be read again.
  const engine::Keyspace::OneGuard guard = server_.keyspace.lock(request.key.stripe, [&] { run.end(); });
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
  if (client.blocked) return;  // it comes again
  client.commands_processed.add(1);
  client.last_command = command;
  if (!refused) {
    if (client.transaction.open && !command->has(commands::kRunInMulti)) {
      queue(execution, *command, request.args.views());
    } else {
      run_or_hold(execution, request, *command);
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
  out.truncate(std::min(reply_start, out.size()));
  // A client that waits has its reply still to come.
  if (client.reply_mode == ReplyMode::Skip && !client.blocked) client.reply_mode = ReplyMode::On;
}

void Dispatcher::reply_protocol_error(Execution& execution, const resp::ProtocolError& bad) {
  OutputBuffer& out = execution.reply.buffer();
  const std::size_t reply_start = out.size();
  commands::reply_error(execution, "ERR " + bad.message());
  if (execution.client.reply_mode != ReplyMode::On) out.truncate(reply_start);
}

/// Commands with any of these flags must not run in quick runs: mostly there are none. Until another command has run,
/// nothing that refuse() looks at can change by the client itself, but for memory, of which there must be about enough
/// for a whole batch; what others do counts from the next batch on.
commands::Flag Dispatcher::barred_from_quick_runs(const ClientState& client) const {
  constexpr auto kMostAdded = static_cast<std::int64_t>(kBatch * kQuickBytes);
  const bool apart = server_.writes_refused(*loop_.settings) ||
                     server_.replication.failover() != Replication::Failover::None ||
                     ServerState::acks_needed(client, *loop_.settings) != Acks::None;
  const commands::Flag writes = apart ? commands::kWrite : 0;
  const bool usual = client.authenticated && !client.transaction.open && !client.monitoring &&
                     client.reply_mode == ReplyMode::On && loop_.watched.slow_ns >= commands::QuickRun::kLeastSlowNs &&
                     server_.pause.until_ms.load(std::memory_order_relaxed) == 0 &&
                     server_.monitors.load(std::memory_order_relaxed) == 0 && !server_.loading() &&
                     !server_.stale(*loop_.settings) && !holds_all(client);
  if (!usual) return commands::kWrite | commands::kReadOnly;  // all that have keys
  const std::int64_t most = loop_.settings->maxmemory;
  const bool roomy = most == 0 || engine::used_memory() + kMostAdded <= most;
  return writes | (roomy ? 0 : commands::kDenyOom);
}

/// In a shard: whether commands are to be looked at one by one, for this node does not serve, or reads must wait.
bool Dispatcher::holds_all(const ClientState& client) const {
  if (!server_.shard.enabled()) return false;
  return !server_.shard.may_serve() || server_.acks_of_reads(client, *loop_.settings) != Acks::None;
}

void Dispatcher::queue(Execution& execution, const Command& command, std::span<const ByteView> arguments) {
  ClientState& client = execution.client;
  Transaction& transaction = client.transaction;
  // What EXEC will refuse anyway is not kept: it must not pile up memory.
  if (!transaction.failed && !client.watch_dirty.load(std::memory_order_relaxed)) {
    QueuedCommand queued;
    queued.command = &command;
    if (!transaction.slot && command.first_key > 0 && static_cast<std::size_t>(command.first_key) < arguments.size()) {
      transaction.slot = slot_of(arguments[static_cast<std::size_t>(command.first_key)]);
    }
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

}  // namespace magpie::server
