#pragma once

#include <cstddef>
#include <vector>

#include "cluster/arbiter/arbiter.h"
#include "cluster/replication/attempts.h"
#include "cluster/replication/replica_config.h"
#include "cluster/replication/shard_state.h"

namespace magpie::cluster {

/// Who must confirm what a leader does: the ISR as the arbiter told it last, and every ISR that the leader has proposed
/// since then, for each of these may be the one that holds (R4). One thread.
class Membership {
 public:
  Membership(const ReplicaConfig& config, ShardState base, Revision revision);

  const ShardState& base() const { return base_; }
  Revision revision() const { return revision_; }
  bool unsettled() const { return !proposals_.empty(); }

  /// Is about to be sent.
  void propose(const ShardState& state);
  /// The arbiter told of a state; true if it is a later one than that which proposals compare.
  bool settle(const ShardState& state, Revision revision);
  /// Only without R3: what was proposed is taken as not having happened.
  void forget_proposals();

  /// All whose confirmation is needed, this node not among them.
  const std::vector<Member>& required() const { return required_; }
  /// The fewest members that an ISR may have now, the leader counted.
  std::size_t fewest() const;
  /// A member whichever ISR holds.
  bool certain(const Member& member) const;
  /// The leader may be the only one of the ISR; with a learner that may lead after it.
  bool maybe_sole() const;
  bool maybe_sole_with_learner() const;
  /// A proposal names another leader.
  bool handing_over() const;

 private:
  template <class Test>
  bool any_state(Test test) const;
  void update();

  const ReplicaConfig* config_;
  ShardState base_;
  Revision revision_;
  std::vector<ShardState> proposals_;  // different ones
  std::vector<Member> required_;
};

}  // namespace magpie::cluster
