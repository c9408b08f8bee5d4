#pragma once

#include <string>
#include <variant>
#include <vector>

#include "cluster/arbiter/arbiter.h"
#include "cluster/replication/peer_message.h"
#include "cluster/replication/replica_events.h"
#include "cluster/replication/shard_state.h"

namespace magpie::cluster {

/// What a Replica wants done, in this order.

struct SendMessage {
  NodeId to;
  PeerMessage message;
};
/// ArbiterTold answers it; if the answer is lost, it is asked again.
struct ReadArbiter {
  RequestId request;
  std::vector<std::string> keys;
};
/// ArbiterDecided answers it.
struct TransactArbiter {
  RequestId request;
  Transaction transaction;
};
/// Open a new connection to the node's own address and close it again; ProbeDone answers it.
struct ProbeNode {
  ProbeId probe;
  NodeId node;
};
/// This node leads: drop incomplete groups, append the barrier as first record of the term, tell it by LocalApplied.
struct BeginTerm {
  Term term;
};
/// Get the log from there; batches of lower terms are refused from now on.
struct FollowLeader {
  Member leader;
  Term term;
};
/// Whether this node may execute strict commands; the deadline may pass before it is told (Replica::may_serve).
struct ServingChanged {
  bool serving = false;
};
struct CommitMoved {
  Lsn commit;
};
struct IsrChanged {
  std::vector<Member> isr;
};
/// The data may be thrown away; the node goes on as another incarnation, with a new Replica.
struct MayDiscard {};
/// Another process runs under this node's id: stop.
struct ExitNode {};
/// To be logged and counted.
struct Notice {
  enum class What : std::uint8_t {
    PossibleLoss,     // R21: too few answers
    DataLost,         // R23, R24: a leader that may lack confirmed writes
    ArbiterFromPast,  // R26
    ArbiterUnreadable,
    HandOverFailed,
  } what;
  bool operator==(const Notice&) const = default;
};

using ReplicaAction = std::variant<SendMessage, ReadArbiter, TransactArbiter, ProbeNode, BeginTerm, FollowLeader,
                                   ServingChanged, CommitMoved, IsrChanged, MayDiscard, ExitNode, Notice>;
using ReplicaActions = std::vector<ReplicaAction>;

}  // namespace magpie::cluster
