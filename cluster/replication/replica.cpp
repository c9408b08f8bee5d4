#include "cluster/replication/replica.h"

#include "protocol/check.h"

namespace magpie::cluster {
namespace {

constexpr std::chrono::milliseconds kShortestSleep{1};

}  // namespace

Replica::Replica(ReplicaConfig config) : config_(std::move(config)), view_(config_) {
  CHECK(config_.timing.consistent());
  CHECK(place_of(config_, config_.self.node) < config_.nodes.size());
}

ReplicaActions Replica::step(const ReplicaEvent& event, const Moment& now) {
  CHECK(now.boot >= now_.boot);
  actions_.clear();
  if (exited_) return {};
  now_ = now;
  std::visit([this](const auto& what) { on(what); }, event);
  if (!exited_) advance();
  return std::move(actions_);
}

void Replica::on(const MessageReceived& event) {
  std::visit([this](const auto& message) { receive(message); }, event.message);
}

void Replica::on(const LocalApplied& event) {
  own_ = event.position;
  complete_ = event.complete;
  if (lead_) lead_->local(own_, now_.boot);
}

void Replica::on(const FollowerApplied& event) {
  if (!lead_ || !of_shard(event.follower) || (config_.rules.identity && event.term != lead_->term())) return;
  const bool first = lead_->acknowledged(event, now_.boot);
  if (first) heartbeat_due_ = now_.boot;  // its answers count from now on
}

void Replica::on(const HandOver& event) {
  const auto& isr = lead_ ? lead_->membership().base().isr : std::vector<Member>{};
  const auto found = std::ranges::find(isr, event.successor, &Member::node);
  if (found == isr.end() || !lead_->hand_over(*found, now_.boot)) notice(Notice::What::HandOverFailed);
}

/// What is due by now, whatever the event was.
void Replica::advance() {
  advance_record();
  if (lead_) {
    advance_leader();
  } else {
    advance_follower();
  }
  advance_reads();
  tell_changes();
}

void Replica::tell_changes() {
  const bool serving = may_serve(now_.boot);
  if (serving != serving_told_) act(ServingChanged{serving});
  serving_told_ = serving;
  if (commit() > commit_told_) act(CommitMoved{commit()});
  commit_told_ = commit();
  if (view_.state() && view_.state()->isr != isr_told_) {
    isr_told_ = view_.state()->isr;
    act(IsrChanged{isr_told_});
  }
  if (lead_ || !recorded_ || !leader_ || leader_->node == config_.self.node) return;
  const auto follow = std::pair(*leader_, term_);
  if (followed_ == follow) return;
  followed_ = follow;
  act(FollowLeader{*leader_, term_});
}

Replica::Role Replica::role() const {
  if (lead_) return Role::Leader;
  if (!view_.known() || !recorded_) return Role::Starting;
  if (campaign_) return Role::Candidate;
  return view_.in_isr(config_.self) ? Role::Follower : Role::Learner;
}

std::vector<FollowerState> Replica::followers() const {
  return lead_ ? lead_->follower_states() : std::vector<FollowerState>{};
}

bool Replica::confirmed(Lsn lsn, ReplicationMode mode, std::size_t semi_acks) const {
  if (!lead_) return false;
  if (mode == ReplicationMode::Async) return true;
  if (mode == ReplicationMode::Semi) return lead_->confirmed_by(semi_acks) >= lsn;
  return lead_->commit() >= lsn && enough_members();
}

Lsn Replica::confirmed_by(std::size_t followers) const {
  return lead_ ? lead_->confirmed_by(followers).value_or(Lsn{}) : Lsn{};
}

BootTime Replica::wake_at() const {
  if (exited_) return kNever;
  BootTime at = std::min(read_due_, look_due());
  if (reading_) at = std::min(at, reading_->sent + config_.timing.attempt);
  if (view_.known() && !frozen_) {
    if (record_attempts_.any()) at = std::min(at, record_attempts_.due(config_.timing));
    if (!record_attempts_.any() && !recorded_) at = now_.boot;
  }
  if (lead_) {
    at = std::min({at, heartbeat_due_, lead_->next_change(now_.boot)});
    if (serving_told_) at = std::min(at, lead_->deadline());
  } else {
    at = std::min(at, campaign_ ? campaign_->next(now_.boot) : campaign_due());
  }
  return std::max(at, now_.boot + kShortestSleep);
}

}  // namespace magpie::cluster
