// Replies that come later: after WAIT, and where replicas must have a write first.

#include <algorithm>
#include <utility>

#include "server/dispatcher.h"

namespace magpie::server {

using commands::Command;
using commands::Execution;

namespace {

constexpr ByteView kUnknown = "UNKNOWN write not confirmed, it may still take effect";

void hold(ClientState& client, OutputBuffer& out, Lsn lsn) { client.held.push_back({std::move(out), lsn}); }

bool writes(const ClientState& client, const Command& command) {
  const commands::Flag flags = command.row->name == "exec" ? client.transaction.row_flags : command.flags;
  return (flags & commands::kWrite) != 0;
}

/// Where the last write of the held replies is in the log.
Lsn last_write(const ClientState& client) {
  Lsn last;
  for (const HeldReplies& replies : client.held) last = std::max(last, replies.lsn);
  return last;
}

}  // namespace

void Dispatcher::run_or_hold(Execution& execution, const Request& request, const Command& command) {
  ClientState& client = execution.client;
  if (last_write(client) != Lsn{} && command.full_name == "client|durability") {
    return wait_for_replicas(client);  // it is for what follows, and comes again after what is held
  }
  // Who wants no replies is told nothing, so there is nothing to hold.
  if (ServerState::acks_needed(client, *loop_.settings) == 0 || client.reply_mode != ReplyMode::On ||
      !writes(client, command)) [[likely]] {
    return run_locked(execution, request, command);
  }
  Replication& replication = server_.replication;
  if (replication.log() == nullptr && !replication.follows()) replication.keep_log();  // or nobody could confirm
  server_.note_writes(client);  // of whatever came before
  OutputBuffer& out = execution.reply.buffer();
  if (!out.empty()) hold(client, out, {});
  const Lsn before = client.last_write;
  run_locked(execution, request, command);
  server_.note_writes(client);
  if (client.last_write == before) return;
  if (last_write(client) == Lsn{}) client.held_until = Instant{execution.now.ms + loop_.settings->replication_timeout};
  hold(client, out, client.last_write);
}

/// At the end of a burst.
void Dispatcher::hold_rest(ClientState& client, OutputBuffer& out, Outcome& outcome) const {
  if (!out.empty()) hold(client, out, {});
  if (outcome.state == State::CutOff) return;
  if (last_write(client) == Lsn{}) client.held_until = Instant{};  // nothing was written: it goes on at once
  client.closes_after_held = outcome.state == State::Close;
  if (!client.blocked) wait_for_replicas(client);
  outcome.state = State::Blocked;
}

void Dispatcher::wait_for_replicas(ClientState& client) const {
  client.blocked = Blocked{.kind = Blocked::Kind::Confirm,
                           .until = client.held_until,
                           .replicas = std::max<std::int64_t>(ServerState::acks_needed(client, *loop_.settings), 1),
                           .lsn = last_write(client)};
}

bool Dispatcher::settle_held(ClientState& client, OutputBuffer& out, Instant now) {
  if (!out.empty()) hold(client, out, {});
  // Somebody was needed when the replies were held, whatever CONFIG SET has said since.
  const std::int64_t needed = std::max<std::int64_t>(ServerState::acks_needed(client, *loop_.settings), 1);
  const auto confirmed = [&](Lsn lsn) { return server_.replication.confirmed_by(lsn) >= needed; };
  const Lsn last = last_write(client);
  if (last != Lsn{} && now < client.held_until && !confirmed(last)) {
    wait_for_replicas(client);
    return false;
  }
  for (HeldReplies& replies : client.held) {
    if (replies.lsn == Lsn{} || replies.bytes.empty() || confirmed(replies.lsn)) continue;
    replies.bytes.clear();
    resp::ReplyWriter(replies.bytes, client.resp).error(kUnknown);
    server_.errors.count(kUnknown);
  }
  return true;
}

void Dispatcher::finish_wait(ClientState& client, OutputBuffer& out, bool with_error) {
  if (!client.blocked || client.blocked->kind == Blocked::Kind::Shutdown) return;
  const Blocked blocked = *client.blocked;
  client.blocked.reset();
  client.unblockable.store(WaitNumber::None);
  client.publish_flags();
  // Otherwise a command that waited to run does so now and answers for itself.
  if (blocked.kind != Blocked::Kind::Wait && blocked.kind != Blocked::Kind::Await) return;
  const std::size_t reply_start = out.size();
  resp::ReplyWriter reply(out, client.resp);
  if (with_error) {
    reply.error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
  } else if (blocked.kind == Blocked::Kind::Await) {
    reply.integer(server_.replication.has(blocked.term, blocked.lsn) ? 1 : 0);
  } else if (blocked.counts_file) {
    reply.array(2);
    reply.integer(0);  // there is no file
    reply.integer(0);  // nor do replicas have one
  } else {
    reply.integer(server_.replication.confirmed_by(blocked.lsn));
  }
  if (client.reply_mode != ReplyMode::On) apply_reply_mode(client, out, reply_start);
}

}  // namespace magpie::server
