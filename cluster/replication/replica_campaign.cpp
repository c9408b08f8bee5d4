#include "cluster/replication/replica.h"

namespace magpie::cluster {
namespace {

constexpr int kMostYields = 5;

}  // namespace

void Replica::receive(const PreVoteAnswer& answer) {
  if (campaign_) campaign_->answered(answer);
}

void Replica::drop_campaign() {
  if (!campaign_) return;
  campaign_.reset();
  campaign_not_before_ = now_.boot + config_.timing.heartbeat;
}

/// When a campaign of an ISR member, or of one that outlived the ISR, is due; never if none is.
BootTime Replica::campaign_due() const {
  if (lead_ || frozen_ || !recorded_) return kNever;
  BootTime due = loss_.due(config_.timing);
  if (leader_ && *leader_ != config_.self && view_.in_isr(config_.self)) {
    due = std::min(due, proof_ ? last_heard_ : last_heard_ + config_.timing.takeover);
  }
  return due == kNever ? kNever : std::max(due, campaign_not_before_);
}

std::optional<CampaignReason> Replica::campaign_reason() const {
  if (campaign_due() > now_.boot) return std::nullopt;
  if (loss_.due(config_.timing) <= now_.boot) return loss_.sign()->reason;
  return proof_ ? CampaignReason::ProofOfDeath : CampaignReason::Silence;
}

void Replica::advance_follower() {
  if (campaign_) {
    advance_campaign();
  } else if (const auto reason = campaign_reason()) {
    begin_campaign(*reason);
  }
}

std::vector<Member> Replica::voters(CampaignReason reason) const {
  std::vector<Member> voters;
  if (reason == CampaignReason::AllDead || reason == CampaignReason::First) {
    for (const NodeId& node : config_.nodes) voters.push_back({node, {}});
  } else {
    voters = reason == CampaignReason::SoleLost ? view_.state()->learners : view_.state()->isr;
  }
  std::erase_if(voters, [&](const Member& member) {
    return member.node == config_.self.node || (reason == CampaignReason::ProofOfDeath && member == leader_);
  });
  return voters;
}

void Replica::begin_campaign(CampaignReason reason) {
  campaign_.emplace(config_, reason, ++last_id_, term_, voters(reason), now_.boot);
  if (!config_.rules.pre_vote) return read_for_campaign();
  for (const Member& voter : campaign_->voters()) {
    act(SendMessage{voter.node, PreVote{campaign_->round(), config_.self, term_, reason}});
  }
  advance_campaign();
}

void Replica::advance_campaign() {
  switch (campaign_->phase()) {
    case Campaign::Phase::Asking:
      if (campaign_->asked_enough(now_.boot)) evaluate_answers();
      return;
    case Campaign::Phase::Waiting:
      if (campaign_->until() <= now_.boot) read_for_campaign();
      return;
    case Campaign::Phase::Reading:
      return;
    case Campaign::Phase::Deciding:
      if (campaign_->attempts().due(config_.timing) <= now_.boot) send_attempt();
      return;
  }
}

void Replica::evaluate_answers() {
  if (campaign_->vetoed()) {
    proof_ = false;
    return drop_campaign();
  }
  const std::size_t rank = campaign_->rank(own_, complete_);
  if (rank == 0) return read_for_campaign();
  const BootTime until = now_.boot + static_cast<int>(rank) * config_.timing.rank;
  if (!yields()) return campaign_->wait(until);
  ++yields_;
  drop_campaign();
  campaign_not_before_ = until;
}

/// R21: somebody has more, which may have been confirmed. It should lead; but if it does not, somebody must.
bool Replica::yields() {
  if (config_.mode != ReplicationMode::Semi || !config_.rules.semi_quorum || !campaign_->behind(own_)) return false;
  if (yields_ < kMostYields) return true;
  notice(Notice::What::PossibleLoss);
  return false;
}

void Replica::read_for_campaign() { campaign_->read(read_now(), now_.boot); }

/// A linearizable read that was sent for it has shown nothing that speaks against it.
void Replica::decide_campaign() {
  if (!still_wanted()) return drop_campaign();
  if (campaign_->may_lose()) notice(Notice::What::PossibleLoss);
  campaign_->decide(view_);
  send_attempt();
}

bool Replica::still_wanted() const {
  if (view_.term() != campaign_->term() || frozen_) return false;
  switch (campaign_->reason()) {
    case CampaignReason::Silence:
      return view_.in_isr(config_.self) && last_heard_ + config_.timing.takeover <= now_.boot;
    case CampaignReason::ProofOfDeath:
      return view_.in_isr(config_.self) && (proof_ || last_heard_ + config_.timing.takeover <= now_.boot);
    default:
      return loss_.sign() && loss_.sign()->reason == campaign_->reason() && loss_.due(config_.timing) <= now_.boot;
  }
}

void Replica::send_attempt() {
  if (!config_.rules.settling && campaign_->attempts().any()) return drop_campaign();
  const RequestId request{++last_id_};
  campaign_->attempts().sent(request, now_.boot);
  send_transaction(request, campaign_->transaction());
}

}  // namespace magpie::cluster
