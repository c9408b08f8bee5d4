#include "cluster/replication/replica.h"

namespace magpie::cluster {

/// A frame of the leader of that term: false if there is a later one. Tells of a leader that the arbiter has not yet
/// told of, too: such a term is always the outcome of a transaction.
bool Replica::accept(Term term, const Member& leader) {
  if (term < term_ || leader == config_.self) return false;
  if (term > term_) {
    set_leader(leader, term);
    step_down();
    if (campaign_) drop_campaign();  // settled: that term began after whatever was compared
    want_read();
  }
  return leader_ == leader;
}

void Replica::set_leader(const Member& leader, Term term) {
  if (term == term_ && leader_ == leader) return;
  if (term > term_ && campaign_ && campaign_->phase() != Campaign::Phase::Deciding) drop_campaign();
  term_ = term;
  leader_ = leader;
  last_heard_ = now_.boot;
  proof_ = false;
  probing_.reset();
  stuck_told_ = false;
  stuck_read_.reset();
  ignoring_since_.reset();
}

/// Nothing of the old term is answered or confirmed any more (R2, R25).
bool Replica::silent() const {
  if (campaign_ && campaign_->phase() == Campaign::Phase::Deciding && config_.rules.silence) return true;
  return ignoring_since_ && *ignoring_since_ == view_.shard_changed();
}

void Replica::heard() {
  last_heard_ = now_.boot;
  yields_ = 0;
  proof_ = false;
  if (campaign_ && campaign_->phase() != Campaign::Phase::Deciding) drop_campaign();
}

void Replica::on(const LeaderHeard& event) {
  if (accept(event.term, event.leader) && !silent()) heard();
}

void Replica::receive(const Heartbeat& heartbeat) {
  const bool mine =
      config_.rules.identity ? heartbeat.follower == config_.self : heartbeat.follower.node == config_.self.node;
  if (!mine || !accept(heartbeat.term, heartbeat.leader)) return;
  leader_ms_ = std::max(leader_ms_, heartbeat.time_ms);
  told_stuck(heartbeat.stuck);
  if (silent()) return;
  heard();
  if (!healthy_) return;
  act(SendMessage{heartbeat.leader.node,
                  HeartbeatAnswer{heartbeat.term, heartbeat.leader, config_.self, own_, heartbeat.sent}});
}

/// R25: whoever can reach the arbiter while the leader cannot stops answering it.
void Replica::told_stuck(bool stuck) {
  stuck_told_ = stuck;
  if (!stuck) ignoring_since_.reset();
  if (!stuck || stuck_read_ || silent() || !config_.rules.stuck_leader || !view_.in_isr(config_.self)) return;
  stuck_read_ = read_now();
}

bool Replica::heard_lately() const {
  if (lead_) return lead_->serving(now_.boot);
  if (!leader_ || silent() || proof_ || stuck_told_) return false;
  return now_.boot < last_heard_ + (config_.timing.takeover - config_.timing.heartbeat);
}

void Replica::answer(const PreVote& question, bool heard) {
  act(SendMessage{question.candidate.node, PreVoteAnswer{question.round, config_.self, heard, complete_, own_}});
}

void Replica::receive(const PreVote& question) {
  const bool probes = question.reason == CampaignReason::ProofOfDeath && question.term == term_ && leader_ && !lead_ &&
                      config_.direct_addresses && config_.rules.proof_of_death;
  if (!probes) {
    const bool believes = question.reason == CampaignReason::ProofOfDeath && !config_.rules.proof_of_death;
    answer(question, heard_lately() && !believes);
    return;
  }
  if (asked_probes_.size() >= config_.nodes.size()) asked_probes_.erase(asked_probes_.begin());
  asked_probes_.emplace(probe(leader_->node), question);
}

ProbeId Replica::probe(const NodeId& node) {
  const ProbeId id{++last_id_};
  act(ProbeNode{id, node});
  return id;
}

void Replica::probe_leader() {
  if (!leader_ || lead_ || proof_ || !view_.in_isr(config_.self)) return;
  if (!config_.rules.proof_of_death) {
    proof_ = true;
  } else if (config_.direct_addresses) {
    probing_ = Probing{probe(leader_->node), *leader_};
  }
}

void Replica::on(const LinkClosed& event) {
  if (leader_ && event.peer == leader_->node) probe_leader();
}

/// What was seen may be old news; a new connection shows what is now (R1).
void Replica::on(const PeerSeen& event) {
  if (leader_ && event.peer.node == leader_->node && event.peer != *leader_ && config_.rules.proof_of_death) {
    probe_leader();
  }
}

void Replica::on(const ProbeDone& event) {
  using Outcome = ProbeDone::Outcome;
  const auto dead = [&](const Member& leader) {
    return event.outcome == Outcome::Refused ||
           (event.outcome == Outcome::Connected && event.incarnation != leader.incarnation);
  };
  if (probing_ && probing_->probe == event.probe) {
    if (leader_ == probing_->leader && dead(*leader_)) proof_ = true;
    probing_.reset();
  }
  const auto asked = asked_probes_.find(event.probe);
  if (asked == asked_probes_.end()) return;
  const PreVote question = asked->second;
  asked_probes_.erase(asked);
  const bool same = leader_ && question.term == term_;
  const bool alive = same && (event.outcome == Outcome::TimedOut ? heard_lately() : !dead(*leader_));
  answer(question, alive);
}

}  // namespace magpie::cluster
