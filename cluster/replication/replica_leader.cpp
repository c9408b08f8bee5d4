#include "cluster/replication/replica.h"

namespace magpie::cluster {

void Replica::become_leader() {
  const bool asked = campaign_ && campaign_->phase() == Campaign::Phase::Deciding;
  const BootTime since = asked ? campaign_->attempts().first() : kLongAgo;
  drop_campaign();
  lead_.emplace(config_, Leadership::Begin{term_, *view_.state(), view_.shard_changed(), now_.boot, since});
  heartbeat_due_ = now_.boot;
  commit_told_ = {};
  followed_.reset();
  act(BeginTerm{term_});
}

void Replica::step_down() {
  if (!lead_) return;
  lead_.reset();
  last_heard_ = now_.boot;
}

void Replica::on(const LinkClosing& event) {
  if (lead_) lead_->void_answers(event.peer, now_.boot);
}

void Replica::receive(const HeartbeatAnswer& answer) {
  if (!lead_ || answer.term != lead_->term()) return;
  if (config_.rules.identity && answer.leader != config_.self) return;
  if (!of_shard(answer.follower)) return;
  lead_->answered(answer, now_.boot);
}

void Replica::advance_leader() {
  if (lead_->hand_over_failed(now_.boot)) notice(Notice::What::HandOverFailed);
  if (heartbeat_due_ <= now_.boot) send_heartbeats();
  if (frozen_) return;
  if (const auto state = lead_->due_change(now_.boot, view_)) send_change(*state);
}

void Replica::send_heartbeats() {
  heartbeat_due_ = now_.boot + config_.timing.heartbeat;
  if (!healthy_) return;
  Heartbeat heartbeat{.term = lead_->term(),
                      .leader = config_.self,
                      .follower = {},
                      .lsn = lead_->last(),
                      .commit = lead_->commit(),
                      .time_ms = expiry_time(now_.wall_ms),
                      .sent = now_.boot,
                      .stuck = lead_->stuck(now_.boot)};
  for (Member& member : lead_->heartbeat_targets()) {
    heartbeat.follower = member;
    act(SendMessage{std::move(member.node), heartbeat});
  }
}

/// What is proposed counts before anybody can have seen it (R4).
void Replica::send_change(const ShardState& state) {
  const RequestId request{++last_id_};
  lead_->proposed(state, request, now_.boot);
  Transaction transaction{
      {{view_.shard_key(), lead_->membership().revision()}}, {{view_.shard_key(), to_text(state)}}, view_.keys()};
  if (state.leader != config_.self) {
    transaction.writes.push_back({view_.term_key(), to_text(Term{lead_->term().number + 1})});
  }
  send_transaction(request, std::move(transaction));
}

}  // namespace magpie::cluster
