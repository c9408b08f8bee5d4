#include "tests/sim/checks.h"
#include "tests/sim/process.h"

namespace magpie::sim {
namespace {

constexpr milliseconds kReplicationTimeout{1'500};

}  // namespace

void Process::reply(const OnReply& on_reply, Reply reply) {
  around_->schedule.after(random_.between(std::chrono::microseconds(50), milliseconds(1)),
                          [on_reply, reply = std::move(reply)] { on_reply(reply); });
}

void Process::command(const Operation& operation, OnReply on_reply) {
  post([this, operation, on_reply = std::move(on_reply)] {
    const bool members =
        replica_.config().mode != cluster::ReplicationMode::Isr || !operation.writes() || replica_.enough_members();
    if (!members || !replica_.may_serve(clock_now().boot)) return reply(on_reply, {Reply::Status::Refused, 0, {}});
    stage([this, operation, on_reply] { execute(operation, on_reply); });
  });
}

void Process::execute(const Operation& operation, const OnReply& on_reply) {
  // It may have lost its data, or its role, while it was stopped; the dispatcher of a server is one piece of work.
  if (replica_.role() != cluster::Replica::Role::Leader || !data_->leads())
    return reply(on_reply, {Reply::Status::Refused, 0, {}});
  Pending pending{operation, {}, replica_.term(), on_reply, clock_now().boot + kReplicationTimeout};
  with_data([&] {
    pending.executed = data_->execute(operation);
    if (operation.writes()) applied();
  });
  if (pending.executed.lsn > data_->position().lsn)
    around_->checks.violated("a reply waits for what nobody has written");
  stage([this, pending = std::move(pending)]() mutable {
    pending_.push_back(std::move(pending));
    release();
  });
}

/// True if there was something to say.
bool Process::finish(Pending& pending) {
  const cluster::ReplicationMode mode = replica_.config().mode;
  const bool writes = pending.operation.writes();
  const bool leads = replica_.role() == cluster::Replica::Role::Leader && replica_.term() == pending.term;
  if (!leads || clock_now().boot >= pending.until) {
    reply(pending.on_reply, {});
    return true;
  }
  const bool isr = mode == cluster::ReplicationMode::Isr;
  const bool free_read = !writes && (!isr || !around_->data_rules.replies_wait);
  const bool read_seen = !writes && isr && replica_.commit() >= pending.executed.lsn;
  const bool confirmed = writes ? replica_.confirmed(pending.executed.lsn, mode) : free_read || read_seen;
  if (!confirmed) return false;
  if (around_->data_rules.lease_at_reply && writes && !isr && !replica_.may_serve(clock_now().boot)) {
    reply(pending.on_reply, {});
    return true;
  }
  if (writes) around_->checks.acknowledged(*this, pending.term, pending.executed.lsn);
  reply(pending.on_reply, {Reply::Status::Done, pending.executed.value, std::move(pending.executed.list)});
  return true;
}

void Process::release() {
  std::erase_if(pending_, [this](Pending& pending) { return finish(pending); });
}

}  // namespace magpie::sim
