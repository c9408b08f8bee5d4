#include "server/dispatcher.h"

#include <algorithm>

#include "protocol/numbers.h"
#include "server/commands/command_table.h"
#include "server/engine/memory.h"
#include "server/limits.h"
#include "server/unknown_command.h"

namespace magpie::server {

using commands::Command;
using commands::Execution;

bool within_memory_limit(ServerState& server, const config::Settings& settings, Instant now) {
  if (settings.maxmemory == 0) return true;
  const std::int64_t limit = settings.maxmemory;
  return engine::used_memory() <= limit || server.keyspace.make_room(limit, now);
}

void Dispatcher::refresh_settings() {
  const std::uint64_t generation = server_.config.generation();
  if (loop_.settings != nullptr && generation == loop_.settings_generation) return;
  loop_.settings = server_.config.current();
  loop_.settings_generation = generation;
}

/// Looks up the command and its first key, so that memory can be fetched ahead.
void Dispatcher::prepare(Request& request) const {
  request.command = request.args.empty() ? nullptr : commands::find_command(request.args[0]);
  request.has_key = false;
  if (request.command == nullptr) return;
  const int first = request.command->row->keys.first;
  if (first <= 0 || static_cast<std::size_t>(first) >= request.args.size()) return;
  request.key = engine::Key::of(request.args[static_cast<std::size_t>(first)]);
  request.has_key = true;
}

std::size_t Dispatcher::parse_batch(ClientState& client, ByteView input, std::size_t from, resp::ParseCursor& progress,
                                    resp::ParseOutcome& last) {
  resp::ParseLimits limits;
  limits.max_bulk = static_cast<std::uint64_t>(loop_.settings->proto_max_bulk_len);
  limits.authenticated = client.authenticated;
  // Limits change with authentication, so a client that has not authenticated is read command by command.
  const std::size_t most = client.authenticated ? kBatch : 1;
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
    prepare(request);
    ++count;
  }
  return count;
}

void Dispatcher::prefetch(const ClientState& client, std::size_t count) {
  if (count < 2) return;
  for (std::size_t i = 0; i < count; ++i) {
    if (batch_[i].has_key) server_.keyspace.prefetch_bucket(client.database(), batch_[i].key);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (batch_[i].has_key) server_.keyspace.prefetch_entry(client.database(), batch_[i].key);
  }
}

Dispatcher::Outcome Dispatcher::run(ClientState& client, ByteView input, resp::ParseCursor& progress, ByteBuffer& out,
                                    Instant now) {
  refresh_settings();
  resp::ReplyWriter reply(out, client.resp);
  Execution execution{server_, loop_, client, reply, now, false};
  Outcome outcome;
  client.last_activity_ms = now.ms;
  while (true) {
    resp::ParseOutcome last = resp::NeedMore{0};
    const std::size_t count = parse_batch(client, input, outcome.consumed, progress, last);
    prefetch(client, count);
    for (std::size_t i = 0; i < count; ++i) {
      if (client.close_after_reply) break;
      if (out.size() >= kOutputHighWater || client.blocked) {
        // The rest of the batch is parsed again later; what stands behind it was not consumed either.
        progress = {};
        outcome.state = client.blocked ? State::Blocked : State::OutputFull;
        return outcome;
      }
      Request& request = batch_[i];
      if (!request.args.empty()) run_request(execution, request);
      if (client.blocked && client.blocked->kind == Blocked::Kind::Pause) {
        progress = {};
        outcome.state = State::Blocked;  // this command itself has not run yet
        return outcome;
      }
      outcome.consumed = request.end;
    }
    if (client.close_after_reply) {
      outcome.state = State::Close;
      return outcome;
    }
    if (const auto* bad = std::get_if<resp::ProtocolError>(&last)) {
      commands::reply_error(execution, "ERR " + bad->message());
      outcome.state = State::Close;
      return outcome;
    }
    if (const auto* more = std::get_if<resp::NeedMore>(&last)) {
      outcome.at_least = more->at_least;
      outcome.state = client.blocked ? State::Blocked : State::NeedInput;
      return outcome;
    }
  }
}

void Dispatcher::run_request(Execution& execution, Request& request) {
  ClientState& client = execution.client;
  ByteBuffer& out = execution.reply.buffer();
  const std::size_t reply_start = out.size();
  const ReplyMode mode_before = client.reply_mode;
  const Command* command = request.command;
  client.commands_processed.add(1);
  if (!refuse(execution, request, command)) {
    const std::span<const ByteView> arguments = request.args.views();
    if (client.transaction.open && !command->has(commands::kRunInMulti)) {
      queue(execution, *command, arguments);
    } else {
      const engine::Keyspace::Guard guard =
          server_.keyspace.lock(request.has_key && command->row->keys.first == command->row->keys.last
                                    ? mask_of(request.key.stripe)
                                    : commands::stripes_of(*command, arguments, false));
      commands::execute(execution, *command, arguments, request.has_key ? &request.key : nullptr);
    }
  }
  if (mode_before != ReplyMode::On || client.reply_mode != ReplyMode::On) {
    apply_reply_mode(client, mode_before, out, reply_start);
  }
}

/// Drops the reply that CLIENT REPLY OFF or SKIP does not want.
void Dispatcher::apply_reply_mode(ClientState& client, ReplyMode before, ByteBuffer& out, std::size_t reply_start) {
  if (client.reply_mode == ReplyMode::Off || before == ReplyMode::Skip ||
      (client.reply_mode == ReplyMode::SkipNext && before != ReplyMode::SkipNext)) {
    out.truncate(reply_start);
  }
  if (client.reply_mode == ReplyMode::SkipNext) {
    client.reply_mode = ReplyMode::Skip;
  } else if (before == ReplyMode::Skip && client.reply_mode == ReplyMode::Skip) {
    client.reply_mode = ReplyMode::On;
  }
}

void Dispatcher::reject(Execution& execution, const Command* command, ByteView text) {
  if (command != nullptr) loop_.statistics->commands[command->id].rejected.add(1);
  if (execution.client.transaction.open) execution.client.transaction.failed = true;
  commands::reply_error(execution, text);
}

/// The checks before a command may run, in Redis's order. True if it was answered or must wait. `command` becomes the
/// subcommand where there is one.
bool Dispatcher::refuse(Execution& execution, const Request& request, const Command*& command) {
  ClientState& client = execution.client;
  const std::span<const ByteView> arguments = request.args.views();
  if (command == nullptr) {
    reject(execution, nullptr, unknown_command(arguments));
    return true;
  }
  if (!command->subcommands.empty() && arguments.size() > 1) {
    const Command* sub = commands::find_subcommand(*command, arguments[1]);
    if (sub == nullptr) {
      reject(execution, nullptr, unknown_subcommand(*command, arguments[1]));
      return true;
    }
    command = sub;
  }
  if (!command->arity_fits(arguments.size())) {
    reject(execution, command, "ERR wrong number of arguments for '" + command->full_name + "' command");
    return true;
  }
  if (!client.authenticated && !command->has(commands::kNoAuth)) {
    reject(execution, command, text_of(resp::ErrorCode::NoAuth));
    return true;
  }
  if (client.transaction.open && command->has(commands::kNoMulti)) {
    reject(execution, command, "ERR Command not allowed inside a transaction");
    return true;
  }
  if (loop_.settings->maxmemory > 0 && command->has(commands::kDenyOom) &&
      !within_memory_limit(server_, *loop_.settings, execution.now)) {
    reject(execution, command, text_of(resp::ErrorCode::OutOfMemory));
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
  const auto may_write = [](const Command& one) {
    return one.has(commands::kWrite) || one.has(commands::kMayReplicate);
  };
  if (command.full_name != "exec") return may_write(command);
  const auto& queued = client.transaction.queue;
  return std::any_of(queued.begin(), queued.end(), [&](const QueuedCommand& one) { return may_write(*one.command); });
}

void Dispatcher::queue(Execution& execution, const Command& command, std::span<const ByteView> arguments) {
  Transaction& transaction = execution.client.transaction;
  // What EXEC will refuse anyway is not kept: a failed transaction must not pile up memory.
  if (!transaction.failed) {
    QueuedCommand queued;
    queued.command = &command;
    for (const ByteView argument : arguments) {
      queued.sizes.push_back(static_cast<std::uint32_t>(argument.size()));
      queued.bytes += argument;
    }
    transaction.queued_bytes += queued.bytes.size();
    transaction.queue.push_back(std::move(queued));
    execution.client.multi_count = static_cast<std::int32_t>(transaction.queue.size());
    execution.client.multi_memory = transaction.queued_bytes;
  }
  execution.reply.simple("QUEUED");
}

void Dispatcher::finish_wait(ClientState& client, ByteBuffer& out, bool with_error) {
  if (!client.blocked) return;
  const Blocked blocked = *client.blocked;
  client.blocked.reset();
  if (blocked.kind != Blocked::Kind::Wait) return;  // a paused command runs now and answers for itself
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
}

}  // namespace magpie::server
