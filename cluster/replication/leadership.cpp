#include "cluster/replication/leadership.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace magpie::cluster {

Leadership::Leadership(const ReplicaConfig& config, const Begin& begin)
    : config_(&config), term_(begin.term), membership_(config, begin.state, begin.revision), sole_from_(begin.asked) {
  for (const Member& member : membership_.required()) known(member, begin.now);
  update();
}

const Leadership::Follower* Leadership::find(const Member& member) const {
  const auto same = [&](const Follower& follower) {
    return config_->rules.identity ? follower.member == member : follower.member.node == member.node;
  };
  const auto found = std::ranges::find_if(followers_, same);
  return found == followers_.end() ? nullptr : &*found;
}

Leadership::Follower* Leadership::find(const Member& member) {
  return const_cast<Follower*>(std::as_const(*this).find(member));
}

Leadership::Follower& Leadership::known(const Member& member, BootTime now) {
  if (Follower* follower = find(member)) return *follower;
  // An earlier start of the same node is of interest only as long as it is a member.
  std::erase_if(followers_, [&](const Follower& follower) {
    return follower.member.node == member.node && !contains(membership_.required(), follower.member);
  });
  Follower& follower = followers_.emplace_back();
  follower.member = member;
  follower.since = now;
  return follower;
}

/// An answer says something about this term only once its records have arrived there.
bool Leadership::counts(const LogPosition& position) const {
  return !config_->rules.identity || position.term == term_;
}

void Leadership::local(const LogPosition& position, BootTime now) {
  if (position.term != term_) return;
  if (!barrier_) barrier_ = position.lsn;
  own_ = position.lsn;
  for (Follower& follower : followers_) mark_lag(follower, now);
  update();
}

void Leadership::answered(const HeartbeatAnswer& answer, BootTime now) {
  Follower& follower = known(answer.follower, now);
  if (!counts(answer.position)) return;
  if (answer.sent <= now && answer.sent > follower.answered.value_or(kLongAgo)) follower.answered = answer.sent;
  has(follower, answer.position, now);
}

bool Leadership::acknowledged(const FollowerApplied& told, BootTime now) {
  Follower& follower = known(told.follower, now);
  const bool first = !follower.has;
  follower.complete = told.complete;
  follower.has_room = told.has_room;
  if (told.complete && counts(told.position)) has(follower, told.position, now);
  return first && follower.has.has_value();
}

void Leadership::has(Follower& follower, const LogPosition& position, BootTime now) {
  follower.has = std::max(position.lsn, follower.has.value_or(Lsn{}));
  if (follower.mark && *follower.has >= *follower.mark) follower.mark.reset();
  mark_lag(follower, now);
  update();
}

void Leadership::mark_lag(Follower& follower, BootTime now) const {
  if (follower.mark || !follower.has || *follower.has >= own_) return;
  follower.mark = own_;
  follower.marked = now;
}

void Leadership::void_answers(const NodeId& node, BootTime now) {
  for (Follower& follower : followers_) {
    if (follower.member.node != node) continue;
    follower.answered.reset();
    follower.since = now;
  }
  update();
}

void Leadership::update() {
  update_commit();
  deadline_ = std::min(lease_end(), sole_end());
}

void Leadership::update_commit() {
  if (!barrier_) return;
  Lsn commit = own_;
  for (const Member& member : membership_.required()) {
    const Follower* follower = find(member);
    if (follower == nullptr || !follower->has) return;
    commit = std::min(commit, *follower->has);
  }
  commit_ = std::max(commit_, commit);
}

BootTime Leadership::lease_end() const {
  BootTime end = kNever;
  for (const Member& member : membership_.required()) {
    const Follower* follower = find(member);
    if (follower == nullptr || !follower->answered) return kLongAgo;
    end = std::min(end, *follower->answered + config_->timing.serve);
  }
  return end;
}

BootTime Leadership::sole_end() const {
  if (!config_->rules.sole_member_fence || !config_->restart_on_total_loss) return kNever;
  return membership_.maybe_sole_with_learner() ? sole_from_ + config_->timing.sole_fence : kNever;
}

std::optional<Lsn> Leadership::confirmed_by(std::size_t acks) const {
  if (acks == 0) return own_;
  std::vector<Lsn> have;
  for (const Follower& follower : followers_) {
    if (follower.has && membership_.certain(follower.member)) have.push_back(*follower.has);
  }
  if (have.size() < acks) return std::nullopt;
  std::ranges::sort(have, std::greater{});
  return have[acks - 1];
}

std::vector<FollowerState> Leadership::follower_states() const {
  std::vector<FollowerState> states;
  states.reserve(followers_.size());
  for (const Follower& follower : followers_) {
    states.push_back({follower.member, contains(membership_.base().isr, follower.member), follower.complete,
                      follower.has, follower.answered});
  }
  return states;
}

std::vector<Member> Leadership::heartbeat_targets() const {
  std::vector<Member> targets = membership_.required();
  for (const Follower& follower : followers_) {
    if (!contains(targets, follower.member)) targets.push_back(follower.member);
  }
  return targets;
}

bool Leadership::stuck(BootTime now) const {
  return attempts_.any() && now >= attempts_.first() + config_->timing.serve && now >= deadline_;
}

std::optional<ShardState> Leadership::due_change(BootTime now, const ShardView& view) const {
  if (attempts_.any()) {
    if (now < attempts_.due(config_->timing)) return std::nullopt;
    return wanted(now, view);
  }
  if (handing_) {
    const bool drained = barrier_ && commit_ >= own_;
    if (!drained && config_->rules.drain_before_hand_over) return std::nullopt;
    return wanted(now, view);
  }
  ShardState next = wanted(now, view);
  if (next.isr == membership_.base().isr && !resumable(now)) return std::nullopt;
  if (others_may_do_better(next, now, view)) return std::nullopt;
  return next;
}

/// Alone it could not write, but those it does not hear may, if it leaves them the time to take over.
bool Leadership::others_may_do_better(const ShardState& next, BootTime now, const ShardView& view) const {
  const std::vector<Member>& isr = membership_.base().isr;
  if (config_->mode != ReplicationMode::Isr || !config_->rules.patient_shrink) return false;
  const std::size_t others = isr.size() - 1 + membership_.base().learners.size();
  if (next.isr.size() >= config_->min_isr || others < config_->min_isr) return false;
  return std::ranges::any_of(isr, [&](const Member& member) {
    const Follower* follower = find(member);
    return follower != nullptr && !contains(next.isr, member) && !view.dead(member) &&
           now < gone_at(*follower) + config_->timing.patience;
  });
}

ShardState Leadership::wanted(BootTime now, const ShardView& view) const {
  ShardState next = membership_.base();
  ++next.change;
  if (handing_) {
    next.leader = handing_->successor;
    return next;
  }
  leave(next, now, view);
  join(next, now);
  return next;
}

void Leadership::leave(ShardState& next, BootTime now, const ShardView& view) const {
  std::erase_if(next.learners, [&](const Member& member) { return view.dead(member); });
  std::erase_if(next.isr, [&](const Member& member) {
    if (member == config_->self || !gone(member, now, view)) return false;
    if (!view.dead(member) && !contains(next.learners, member)) next.learners.push_back(member);
    return true;
  });
}

void Leadership::join(ShardState& next, BootTime now) const {
  for (const Follower& follower : followers_) {
    const auto same_node = [&](const Member& member) { return member.node == follower.member.node; };
    if (!may_join(follower, now) || std::ranges::any_of(next.isr, same_node)) continue;
    next.isr.push_back(follower.member);
    std::erase_if(next.learners, same_node);
  }
}

BootTime Leadership::gone_at(const Follower& follower) const {
  const BootTime lease = std::max(follower.since, follower.answered.value_or(kLongAgo)) + config_->timing.serve;
  if (!follower.mark || !config_->rules.unapplied_limit) return lease;
  return std::min(lease, follower.marked + config_->timing.unapplied);
}

bool Leadership::gone(const Member& member, BootTime now, const ShardView& view) const {
  const Follower* follower = find(member);
  return follower == nullptr || view.dead(member) || gone_at(*follower) <= now;
}

bool Leadership::may_join(const Follower& follower, BootTime now) const {
  return follower.complete && follower.has_room && follower.has && *follower.has >= commit_ && follower.answered &&
         now < *follower.answered + config_->timing.serve / 2 && gone_at(follower) > now &&
         place_of(*config_, follower.member.node) < config_->nodes.size();
}

bool Leadership::resumable(BootTime now) const { return sole_end() <= now; }

void Leadership::proposed(const ShardState& state, RequestId request, BootTime now) {
  const bool fenced_before = membership_.maybe_sole_with_learner();
  membership_.propose(state);
  attempts_.sent(request, now);
  if (!fenced_before) sole_from_ = now;
  update();
}

void Leadership::decided(RequestId request, bool succeeded, BootTime now) {
  const auto sent = attempts_.sent_at(request);
  if (!sent) return;
  if (succeeded) {
    sole_from_ = std::max(sole_from_, *sent);
  } else {
    attempts_.failed(request, now);
  }
  update();
}

void Leadership::failed(RequestId request, BootTime now) {
  attempts_.failed(request, now);
  if (config_->rules.settling || !attempts_.sent_at(request)) return;
  attempts_.clear();
  membership_.forget_proposals();
  update();
}

void Leadership::settle(const ShardState& state, Revision revision, BootTime now) {
  if (!membership_.settle(state, revision)) {
    if (!config_->rules.settling && attempts_.any()) {
      attempts_.clear();
      membership_.forget_proposals();
      update();
    }
    return;
  }
  attempts_.clear();
  handing_.reset();
  for (const Member& member : membership_.required()) known(member, now);
  update();
}

BootTime Leadership::next_change(BootTime now) const {
  if (attempts_.any()) return attempts_.due(config_->timing);
  BootTime next = sole_end();
  if (handing_) next = std::min(next, handing_->since + config_->timing.hand_over);
  for (const Member& member : membership_.required()) {
    const Follower* follower = find(member);
    if (follower != nullptr && gone_at(*follower) > now) next = std::min(next, gone_at(*follower));
  }
  return next;
}

void Leadership::put_applied(BootTime sent, BootTime now) {
  if (now >= sole_end()) return;  // fenced: another may lead already, which a put does not show
  sole_from_ = std::max(sole_from_, sent);
  update();
}

bool Leadership::hand_over(const Member& successor, BootTime now) {
  if (attempts_.any() || handing_ || successor == config_->self) return false;
  if (!contains(membership_.base().isr, successor)) return false;
  handing_ = HandingOver{successor, now};
  return true;
}

bool Leadership::hand_over_failed(BootTime now) {
  if (!handing_ || attempts_.any() || now < handing_->since + config_->timing.hand_over) return false;
  handing_.reset();
  return true;
}

}  // namespace magpie::cluster
