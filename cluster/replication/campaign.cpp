#include "cluster/replication/campaign.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace magpie::cluster {
namespace {

/// The leader is gone, its followers decide among themselves; nothing confirmed is lost.
bool ordinary(CampaignReason reason) {
  return reason == CampaignReason::Silence || reason == CampaignReason::ProofOfDeath;
}

bool means(const Member& voter, const Member& who) {
  return voter.node == who.node && (voter.incarnation == Incarnation{} || voter.incarnation == who.incarnation);
}

}  // namespace

Campaign::Campaign(const ReplicaConfig& config, CampaignReason reason, std::uint64_t round, Term term,
                   std::vector<Member> voters, BootTime now)
    : config_(&config),
      reason_(reason),
      round_(round),
      term_(term),
      voters_(std::move(voters)),
      begun_(now),
      until_(now) {
  until_ = asked_until();
}

void Campaign::answered(const PreVoteAnswer& answer) {
  if (answer.round != round_ || phase_ == Phase::Deciding) return;
  const auto asked = [&](const Member& voter) { return means(voter, answer.voter); };
  const auto same = [&](const PreVoteAnswer& known) { return known.voter.node == answer.voter.node; };
  if (std::ranges::none_of(voters_, asked) || std::ranges::any_of(answers_, same)) return;
  answers_.push_back(answer);
}

/// Its own counts too.
std::size_t Campaign::enough_answers() const {
  if (config_->mode != ReplicationMode::Semi || !ordinary(reason_) || !config_->rules.semi_quorum) return 1;
  // The old leader may be among the voters; all others and this one are the followers.
  const std::size_t followers = voters_.size() + (reason_ == CampaignReason::ProofOfDeath ? 1 : 0);
  return followers >= config_->semi_acks ? followers - config_->semi_acks + 1 : 1;
}

bool Campaign::may_lose() const { return answers_.size() + 1 < enough_answers(); }

BootTime Campaign::asked_until() const {
  return begun_ + (may_lose() ? config_->timing.semi_answers : config_->timing.pre_vote);
}

bool Campaign::asked_enough(BootTime now) const { return answers_.size() == voters_.size() || now >= asked_until(); }

bool Campaign::vetoed() const {
  if (ordinary(reason_)) return std::ranges::any_of(answers_, &PreVoteAnswer::heard);
  // A shard that nobody is said to have led cannot have a log (R26).
  return reason_ == CampaignReason::First && config_->rules.arbiter_from_past &&
         std::ranges::any_of(answers_, [](const PreVoteAnswer& answer) { return answer.position.term > Term{}; });
}

std::size_t Campaign::rank(const LogPosition& own, bool complete) const {
  const auto mine = std::tuple(complete, own);
  const auto first = [&](const PreVoteAnswer& answer) {
    const auto theirs = std::tuple(answer.complete, answer.position);
    if (theirs != mine) return theirs > mine;
    return place_of(*config_, answer.voter.node) < place_of(*config_, config_->self.node);
  };
  return static_cast<std::size_t>(std::ranges::count_if(answers_, first));
}

bool Campaign::behind(const LogPosition& own) const {
  return ordinary(reason_) &&
         std::ranges::any_of(answers_, [&](const PreVoteAnswer& answer) { return answer.position > own; });
}

ShardState Campaign::next_state(const ShardView& view) const {
  ShardState next = view.state().value_or(ShardState{});
  ++next.change;
  std::erase_if(next.learners, [&](const Member& member) { return member == config_->self || view.dead(member); });
  if (ordinary(reason_)) {
    std::erase_if(next.isr, [&](const Member& member) { return member == next.leader; });
  } else {
    next.isr = {config_->self};
    if (reason_ != CampaignReason::First) ++next.loss_epoch;
  }
  next.leader = config_->self;
  return next;
}

void Campaign::compare(const ShardView& view, const std::string& key) {
  transaction_.compares.push_back({key, view.changed(key)});
}

void Campaign::decide(const ShardView& view) {
  phase_ = Phase::Deciding;
  transaction_ = {};
  compare(view, view.shard_key());
  compare(view, view.term_key());
  if (!ordinary(reason_) && view.state()) {
    for (const Member& member : view.state()->isr) compare(view, view.node_key(member.node));
  }
  transaction_.writes = {{view.shard_key(), to_text(next_state(view))},
                         {view.term_key(), to_text(Term{view.term().number + 1})}};
  transaction_.reads = view.keys();
}

bool Campaign::settled(const ShardView& view) const {
  return std::ranges::any_of(transaction_.compares, [&](const Transaction::Compare& compare) {
    return view.changed(compare.key) != compare.changed;
  });
}

BootTime Campaign::next(BootTime now) const {
  if (phase_ == Phase::Deciding) return attempts_.due(config_->timing);
  if (phase_ == Phase::Asking) return asked_enough(now) ? now : asked_until();
  return phase_ == Phase::Waiting ? until_ : kNever;
}

}  // namespace magpie::cluster
