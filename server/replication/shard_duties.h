#pragma once

#include <cstdint>

#include "cluster/replication/identity.h"
#include "cluster/replication/position.h"

namespace magpie::server {

/// What the links between a shard's replicas tell its machine (cluster/replication/replica.h), and ask. The thread of
/// the links.
class ShardDuties {
 public:
  /// The start of a node that a link leads to.
  virtual void peer_seen(const cluster::Member& peer) = 0;

  // --- of a follower ---

  /// A valid frame of that leader. False if it leads no longer: nothing of it may be applied.
  virtual bool leader_heard(Term term, const cluster::Member& leader) = 0;
  /// Whether to confirm what was applied of a leader of that term.
  virtual bool may_confirm(Term term) = 0;
  /// The data here can be of no more use; it may be given up once the shard says so.
  virtual void wants_discard() = 0;
  /// Of this node, bytes; 0: no limit.
  virtual std::uint64_t maxmemory() const = 0;

  // --- of a leader ---

  /// It has all data, and the log up to there; its maxmemory in bytes, 0: no limit.
  virtual void follower_applied(const cluster::Member& follower, Term term, const cluster::LogPosition& position,
                                std::uint64_t maxmemory) = 0;

 protected:
  ~ShardDuties() = default;
};

}  // namespace magpie::server
