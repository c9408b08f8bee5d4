#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster/replication/campaign.h"
#include "cluster/replication/leadership.h"
#include "cluster/replication/loss_watch.h"
#include "cluster/replication/replica_actions.h"
#include "cluster/replication/replica_config.h"
#include "cluster/replication/replica_events.h"
#include "cluster/replication/shard_view.h"

namespace magpie::cluster {

/// One replica of a shard: who leads, who must confirm, who takes over and when (cluster-rules.md of the design). A
/// pure state machine: `step` with what happened, do what it returns in that order, and step(TimerDue) at `wake_at` at
/// the latest. It lives as long as the data in memory does: a node that has lost its data begins a new one, with a new
/// incarnation. No I/O, no clock, no randomness. One thread; the queries hold until the next step.
class Replica {
 public:
  /// The timing must be consistent and the node one of `nodes`.
  explicit Replica(ReplicaConfig config);

  /// The clocks must have been read after what the event tells of, and may not go back (R8).
  ReplicaActions step(const ReplicaEvent& event, const Moment& now);
  BootTime wake_at() const;

  /// Keys to be watched; a prefix that covers them does.
  const std::vector<std::string>& keys() const { return view_.keys(); }

  enum class Role : std::uint8_t { Starting, Learner, Follower, Candidate, Leader };
  Role role() const;
  /// Whether commands may be executed. Ask with a clock read after the command was received; what a strict read sees
  /// then was so at that moment, however late it is executed. For an unconfirmed write ask again before its reply
  /// leaves (R19).
  bool may_serve(BootTime now) const { return lead_ && lead_->serving(now); }
  /// May expire and evict (R20).
  bool may_expire(BootTime now) const { return may_serve(now); }
  /// Of the serving; long ago if it does not.
  BootTime serve_deadline() const { return lead_ ? lead_->deadline() : kLongAgo; }

  Term term() const { return term_; }
  const std::optional<Member>& leader() const { return leader_; }
  const ReplicaConfig& config() const { return config_; }
  const ShardView& view() const { return view_; }
  /// Every record up to there is confirmed by the ISR. For a leader only; never goes back within a term.
  Lsn commit() const { return lead_ ? lead_->commit() : Lsn{}; }
  /// Whether a write of this mode that ends there may be acknowledged: isr by the ISR, semi by k followers, async at
  /// once. The lease is for the caller to check (semi and async, R19).
  bool confirmed(Lsn lsn, ReplicationMode mode) const { return confirmed(lsn, mode, config_.semi_acks); }
  bool confirmed(Lsn lsn, ReplicationMode mode, std::size_t semi_acks) const;
  /// Up to where so many followers of the ISR have the log; 0 for others than a leader.
  Lsn confirmed_by(std::size_t followers) const;
  /// For a follower: its leader is heard of until then, if nothing more comes.
  BootTime leader_until() const { return leader_ && !lead_ ? last_heard_ + config_.timing.takeover : kLongAgo; }
  std::uint64_t loss_epoch() const { return view_.state() ? view_.state()->loss_epoch : 0; }
  /// For a leader: what it knows of each follower.
  std::vector<FollowerState> followers() const;
  /// Enough members for isr writes to be accepted, and acknowledged.
  bool enough_members() const { return lead_ && lead_->membership().fewest() >= config_.min_isr; }
  /// A follower's data plane asks before it confirms a batch of that term (R2, R25).
  bool may_confirm(Term term) const { return term == term_ && !silent(); }
  /// Expiry times are compared with this (R20): milliseconds since the Unix epoch.
  std::int64_t expiry_time(std::int64_t own_ms) const { return std::max(own_ms, leader_ms_); }

 private:
  struct Asked {
    RequestId request;
    BootTime sent;
    Term term;  // that was known then (R26)
  };
  struct Probing {
    ProbeId probe;
    Member leader;
  };

  // replica.cpp
  void on(const Started&) { want_read(); }
  void on(const TimerDue&) {}
  void on(const MessageReceived& event);
  void on(const LocalApplied& event);
  void on(const FollowerApplied& event);
  void on(const LoopsChanged& event) { healthy_ = event.healthy; }
  void on(const HandOver& event);
  void advance();
  void tell_changes();
  bool of_shard(const Member& member) const { return place_of(config_, member.node) < config_.nodes.size(); }

  // replica_arbiter.cpp: what the arbiter knows, this node's own record there
  void on(const ArbiterTold& event);
  void on(const ArbiterDecided& event);
  void on(const KeysChanged&) { want_read(); }
  void on(const DiscardWanted&);
  RequestId read_now();
  void want_read();
  void take(Revision revision, const std::vector<ArbiterEntry>& entries, Term term_known);
  bool from_the_past(const std::vector<ArbiterEntry>& entries, Term term_known);
  void view_changed();
  void check_own_record();
  void told_by_read(const Asked& asked);
  std::optional<LossWatch::Sign> loss_sign() const;
  bool all_dead(const ShardState& state) const;
  void advance_reads();
  BootTime look_due() const;
  void advance_record();
  bool put_due() const;
  void put_record();
  void record_decided(RequestId request, bool succeeded);
  void send_transaction(RequestId request, Transaction transaction);

  // replica_leader.cpp
  void become_leader();
  void step_down();
  void on(const LinkClosing& event);
  void receive(const HeartbeatAnswer& answer);
  void advance_leader();
  void send_heartbeats();
  void send_change(const ShardState& state);

  // replica_follower.cpp: what is heard of the leader, and what others are told about it
  void receive(const Heartbeat& heartbeat);
  void receive(const PreVote& question);
  void on(const LeaderHeard& event);
  void on(const LinkClosed& event);
  void on(const PeerSeen& event);
  void on(const ProbeDone& event);
  bool accept(Term term, const Member& leader);
  void heard();
  void told_stuck(bool stuck);
  void set_leader(const Member& leader, Term term);
  bool silent() const;
  void answer(const PreVote& question, bool heard);
  bool heard_lately() const;
  ProbeId probe(const NodeId& node);
  void probe_leader();

  // replica_campaign.cpp
  void receive(const PreVoteAnswer& answer);
  void advance_follower();
  void begin_campaign(CampaignReason reason);
  std::vector<Member> voters(CampaignReason reason) const;
  void advance_campaign();
  void evaluate_answers();
  bool yields();
  void read_for_campaign();
  void decide_campaign();
  bool still_wanted() const;
  void send_attempt();
  void drop_campaign();
  std::optional<CampaignReason> campaign_reason() const;
  BootTime campaign_due() const;

  template <class Action>
  void act(Action action) {
    actions_.push_back(ReplicaAction(std::move(action)));
  }
  void notice(Notice::What what) { act(Notice{what}); }

  ReplicaConfig config_;
  ShardView view_;
  ReplicaActions actions_;
  Moment now_{};
  std::uint64_t last_id_ = 0;  // of requests, probes and rounds
  bool healthy_ = true;

  Term term_;                     // the highest that was seen
  std::optional<Member> leader_;  // of that term
  BootTime last_heard_ = kLongAgo;
  std::int64_t leader_ms_ = 0;  // the latest wall time of a leader
  LogPosition own_;
  bool complete_ = false;

  std::optional<Asked> reading_;
  bool read_again_ = false;
  BootTime read_due_ = kNever;    // again, after an error
  BootTime last_look_ = kLongAgo;
  bool frozen_ = false;  // R26
  bool exited_ = false;  // R10
  std::optional<RequestId> discard_read_;

  Attempts record_attempts_;
  bool recorded_ = false;          // nodes/<id> is this node's
  BootTime last_put_ = kLongAgo;  // sent

  std::optional<Leadership> lead_;
  BootTime heartbeat_due_ = kLongAgo;
  std::optional<Campaign> campaign_;
  BootTime campaign_not_before_ = kLongAgo;
  int yields_ = 0;
  LossWatch loss_;
  std::optional<Probing> probing_;
  bool proof_ = false;                   // of the leader's death
  std::map<ProbeId, PreVote> asked_probes_;  // for others
  std::optional<RequestId> stuck_read_;  // R25
  std::optional<Revision> ignoring_since_;
  bool stuck_told_ = false;
  std::optional<std::uint64_t> loss_epoch_;  // that was seen

  bool serving_told_ = false;
  Lsn commit_told_;
  std::vector<Member> isr_told_;
  std::optional<std::pair<Member, Term>> followed_;
};

}  // namespace magpie::cluster
