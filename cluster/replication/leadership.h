#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "cluster/replication/attempts.h"
#include "cluster/replication/membership.h"
#include "cluster/replication/peer_message.h"
#include "cluster/replication/replica_config.h"
#include "cluster/replication/replica_events.h"
#include "cluster/replication/shard_view.h"

namespace magpie::cluster {

/// What a leader knows of a follower, to be shown.
struct FollowerState {
  Member member;
  bool in_isr = false;
  bool complete = false;
  std::optional<Lsn> has;            // of the leader's term
  std::optional<BootTime> answered;  // when the latest heartbeat was sent that it has answered
};

/// What a leader knows during one term: who has confirmed what, until when it may serve, whom the ISR should hold.
/// Everything that counts is of this term (R5); another term has another Leadership. Time is passed in. One thread.
class Leadership {
 public:
  struct Begin {
    Term term;
    ShardState state;
    Revision revision;  // of that state
    BootTime now;
    BootTime asked = kLongAgo;  // when it was first asked for, if this node did
  };
  Leadership(const ReplicaConfig& config, const Begin& begin);

  Term term() const { return term_; }
  const Membership& membership() const { return membership_; }

  /// This node's own log. The first record of the term is its barrier.
  void local(const LogPosition& position, BootTime now);
  void answered(const HeartbeatAnswer& answer, BootTime now);
  /// True if it is the first time that this counts.
  bool acknowledged(const FollowerApplied& told, BootTime now);
  /// What that node has answered so far keeps the lease no longer.
  void void_answers(const NodeId& node, BootTime now);

  bool serving(BootTime now) const {
    const bool stopped = handing_ && config_->rules.drain_before_hand_over;
    return !stopped && barrier_ && commit_ >= *barrier_ && now < deadline_;
  }
  /// Serving ends then unless more is heard.
  BootTime deadline() const { return deadline_; }
  Lsn commit() const { return commit_; }
  Lsn last() const { return own_; }
  /// What `acks` followers that are members whatever happens have; nothing if there are not so many.
  std::optional<Lsn> confirmed_by(std::size_t acks) const;
  std::vector<FollowerState> follower_states() const;
  /// Members, whether settled or not, and followers that may join.
  std::vector<Member> heartbeat_targets() const;
  /// R25: it cannot serve, and the ISR should have changed long ago.
  bool stuck(BootTime now) const;

  /// The transaction on shards/<sid> that is due now, if there is one.
  std::optional<ShardState> due_change(BootTime now, const ShardView& view) const;
  /// It is sent.
  void proposed(const ShardState& state, RequestId request, BootTime now);
  /// What became of it. The state that the arbiter told with it comes by `settle`.
  void decided(RequestId request, bool succeeded, BootTime now);
  void failed(RequestId request, BootTime now);
  /// The arbiter told of the shard, this node still leading the same term.
  void settle(const ShardState& state, Revision revision, BootTime now);
  /// When `due_change` may have one without any event.
  BootTime next_change(BootTime now) const;

  /// R23: nodes/<id>, put at that time, is known to be applied.
  void put_applied(BootTime sent, BootTime now);

  /// R11. False if that is no member, or something is going on.
  bool hand_over(const Member& successor, BootTime now);
  /// True once, when it could not drain in time; then it serves on.
  bool hand_over_failed(BootTime now);

 private:
  struct Follower {
    Member member;
    BootTime since;                   // known, or a member
    std::optional<BootTime> answered;  // sending time of the latest heartbeat it has answered
    std::optional<Lsn> has;            // of this term
    bool complete = false;
    bool has_room = true;
    std::optional<Lsn> mark;  // R9: it had not applied this at `marked`
    BootTime marked;
  };
  struct HandingOver {
    Member successor;
    BootTime since;
  };
  Follower* find(const Member& member);
  const Follower* find(const Member& member) const;
  Follower& known(const Member& member, BootTime now);
  bool counts(const LogPosition& position) const;
  void has(Follower& follower, const LogPosition& position, BootTime now);
  void mark_lag(Follower& follower, BootTime now) const;
  void update();
  void update_commit();
  BootTime lease_end() const;
  BootTime sole_end() const;
  BootTime gone_at(const Follower& follower) const;
  void leave(ShardState& next, BootTime now, const ShardView& view) const;
  void join(ShardState& next, BootTime now) const;
  bool gone(const Member& member, BootTime now, const ShardView& view) const;
  bool may_join(const Follower& follower, BootTime now) const;
  bool others_may_do_better(const ShardState& next, BootTime now, const ShardView& view) const;
  bool resumable(BootTime now) const;
  ShardState wanted(BootTime now, const ShardView& view) const;

  const ReplicaConfig* config_;
  Term term_;
  Membership membership_;
  Attempts attempts_;
  std::vector<Follower> followers_;
  std::optional<Lsn> barrier_;
  Lsn own_;
  Lsn commit_;
  BootTime deadline_ = kLongAgo;
  BootTime sole_from_;
  std::optional<HandingOver> handing_;
};

}  // namespace magpie::cluster
