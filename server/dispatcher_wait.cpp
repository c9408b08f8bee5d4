// Replies that come later: after WAIT, and where replicas must have a write first.

#include <algorithm>
#include <utility>

#include "server/dispatcher.h"
#include "server/effective_flags.h"

namespace magpie::server {

using commands::Command;
using commands::Execution;

namespace {

constexpr ByteView kUnknown = "UNKNOWN write not confirmed, it may still take effect";
constexpr ByteView kUnknownRead = "UNKNOWN what was read is not confirmed, it may be lost";

bool has_any(const ClientState& client, const Command& command, commands::Flag wanted) {
  return (effective_flags(client, command) & wanted) != 0;
}

/// The place in the log up to which all must be confirmed.
Lsn last_held(const ClientState& client) {
  Lsn last;
  for (const HeldReplies& replies : client.held) last = std::max(last, replies.lsn);
  return last;
}

/// By whom at the strictest.
Acks strictest(const ClientState& client) {
  Acks acks = Acks::None;
  for (const HeldReplies& replies : client.held) {
    if (replies.lsn == Lsn{} || acks == Acks::InSync) continue;
    acks = replies.acks == Acks::Commit && acks != Acks::None ? acks : replies.acks;
  }
  return acks;
}

}  // namespace

Acks Dispatcher::acks_of(const ClientState& client, const Command& command) const {
  if (has_any(client, command, commands::kWrite)) {
    const Acks acks = ServerState::acks_needed(client, *loop_.settings);
    // What it tells besides must be confirmed where reads have to be.
    return acks == Acks::None ? server_.acks_of_reads(client, *loop_.settings) : acks;
  }
  if (has_any(client, command, commands::kReadOnly)) return server_.acks_of_reads(client, *loop_.settings);
  return Acks::None;
}

Lsn Dispatcher::seen_by(engine::StripeMask stripes) const {
  const std::shared_ptr<EffectLog> log = server_.replication.log();
  return log == nullptr ? Lsn{} : log->last_in(stripes == 0 ? engine::kAllStripes : stripes);
}

void Dispatcher::run_or_hold(Execution& execution, const Request& request, const Command& command) {
  ClientState& client = execution.client;
  if (last_held(client) != Lsn{} && (command.full_name == "client|durability" || command.full_name == "client|reads")) {
    return wait_for_replicas(client);  // it is for what follows, and comes again after what is held
  }
  const Acks acks = acks_of(client, command);
  // Who wants no replies is told nothing, so there is nothing to hold.
  if (acks == Acks::None || client.reply_mode != ReplyMode::On) [[likely]] {
    return run_locked(execution, request, command);
  }
  Replication& replication = server_.replication;
  if (replication.log() == nullptr && !replication.follows()) replication.keep_log();  // or nobody could confirm
  const std::uint64_t tenure = replication.tenure().number();
  const engine::StripeMask stripes =
      is_exec(command) ? client.transaction.stripes : commands::stripes_of(command, request.args.views(), false);
  server_.note_writes(client);  // of whatever came before
  OutputBuffer& out = execution.reply.buffer();
  const std::size_t reply_start = out.size();
  const Lsn written = client.last_write;
  run_locked(execution, request, command);
  server_.note_writes(client);
  Lsn lsn = client.last_write == written ? Lsn{} : client.last_write;
  if (static_cast<std::int64_t>(acks) < 0) lsn = std::max(lsn, seen_by(stripes));
  const bool same_role = replication.tenure().number() == tenure;
  if (lsn == Lsn{} || (same_role && client.held.empty() && server_.confirmed(lsn, acks))) return;
  if (last_held(client) == Lsn{}) client.held_until = Instant{execution.now.ms + loop_.settings->replication_timeout};
  OutputBuffer reply = out.split(reply_start);
  if (!out.empty()) client.held.push_back({std::move(out), {}});
  client.held.push_back({std::move(reply), lsn, acks, tenure});
}

/// At the end of a burst.
void Dispatcher::hold_rest(ClientState& client, OutputBuffer& out, Outcome& outcome) const {
  if (!out.empty()) client.held.push_back({std::move(out), {}});
  if (outcome.state == State::CutOff) return;
  if (last_held(client) == Lsn{}) client.held_until = Instant{};  // nothing was written: it goes on at once
  client.closes_after_held = outcome.state == State::Close;
  if (!client.blocked) wait_for_replicas(client);
  outcome.state = State::Blocked;
}

void Dispatcher::wait_for_replicas(ClientState& client) const {
  client.blocked = Blocked{.kind = Blocked::Kind::Confirm,
                           .until = client.held_until,
                           .acks = strictest(client),
                           .lsn = last_held(client),
                           .tenure = client.held.empty() ? 0 : client.held.back().tenure};
  for (const HeldReplies& replies : client.held) {
    if (replies.lsn != Lsn{}) client.blocked->tenure = replies.tenure;
  }
}

/// Whether it is confirmed what the reply tells; in the mode semi of a shard the lease has to hold as well (rule R19).
bool Dispatcher::may_leave(const HeldReplies& replies) const {
  const bool semi = static_cast<std::int64_t>(replies.acks) > 0;
  return replies.tenure == server_.replication.tenure().number() && server_.confirmed(replies.lsn, replies.acks) &&
         (!semi || !server_.shard.enabled() || server_.shard.may_serve());
}

bool Dispatcher::settle_held(ClientState& client, OutputBuffer& out, Instant now) {
  if (!out.empty()) client.held.push_back({std::move(out), {}});
  const std::uint64_t tenure = server_.replication.tenure().number();
  const auto unsettled = [&](const HeldReplies& replies) {
    return replies.lsn != Lsn{} && replies.tenure == tenure && !server_.confirmed(replies.lsn, replies.acks);
  };
  if (now < client.held_until && std::ranges::any_of(client.held, unsettled)) {
    wait_for_replicas(client);
    return false;
  }
  for (HeldReplies& replies : client.held) {
    if (replies.lsn == Lsn{} || replies.bytes.empty() || may_leave(replies)) continue;
    const ByteView text = replies.acks == Acks::Commit ? kUnknownRead : kUnknown;
    replies.bytes.clear();
    resp::ReplyWriter(replies.bytes, client.resp).error(text);
    server_.errors.count(text);
  }
  return true;
}

bool Dispatcher::take_back(const ClientState& client, Lsn before, OutputBuffer& out) const {
  if (client.last_write == before || server_.shard.may_serve()) return false;
  out.clear();
  resp::ReplyWriter(out, client.resp).error(kUnknown);
  server_.errors.count(kUnknown);
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
  } else if (blocked.kind == Blocked::Kind::Wait && blocked.tenure != server_.replication.tenure().number()) {
    reply.error("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)");
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
