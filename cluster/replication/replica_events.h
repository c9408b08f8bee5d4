#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <variant>
#include <vector>

#include "cluster/arbiter/arbiter.h"
#include "cluster/replication/identity.h"
#include "cluster/replication/peer_message.h"

namespace magpie::cluster {

/// What a Replica is told. Each event comes with a reading of the clocks that was made after what it tells of.

struct RequestId {
  std::uint64_t number = 0;
  friend auto operator<=>(RequestId, RequestId) = default;
};
struct ProbeId {
  std::uint64_t number = 0;
  friend auto operator<=>(ProbeId, ProbeId) = default;
};

/// The node listens, and begins.
struct Started {};
struct TimerDue {};
struct MessageReceived {
  PeerMessage message;
};
/// Any other valid frame of a leader, a batch say.
struct LeaderHeard {
  Term term;
  Member leader;
};
/// A connection to that node has shown which start of it runs.
struct PeerSeen {
  Member peer;
};
/// An established link was closed by the other side.
struct LinkClosed {
  NodeId peer;
};
/// This node is about to close a link, or its listener: what that member has answered counts no longer (R1).
struct LinkClosing {
  NodeId peer;
};
struct ProbeDone {
  ProbeId probe;
  enum class Outcome : std::uint8_t { Refused, Connected, TimedOut } outcome = Outcome::TimedOut;
  Incarnation incarnation;  // if connected
};
struct ArbiterTold {
  RequestId request;
  std::expected<ReadResult, ArbiterError> result;
};
struct ArbiterDecided {
  RequestId request;
  std::expected<TransactionResult, ArbiterError> result;
};
/// A watch told of a change of any key of `Replica::keys`.
struct KeysChanged {};
/// This node's own log: what was applied last, and whether nothing is missing before it.
struct LocalApplied {
  LogPosition position;
  bool complete = false;
};
/// A follower says so on its link, for a leader of that term.
struct FollowerApplied {
  Member follower;
  Term term;
  LogPosition position;
  bool complete = false;
  bool has_room = true;  // R22: its maxmemory is at least this node's
};
/// Every loop of the node makes progress, or does not (R9).
struct LoopsChanged {
  bool healthy = true;
};
/// An operator wants that member to lead (R11).
struct HandOver {
  NodeId successor;
};
/// The data plane wants to throw data away (R12); MayDiscard tells when it may.
struct DiscardWanted {};

using ReplicaEvent = std::variant<Started, TimerDue, MessageReceived, LeaderHeard, PeerSeen, LinkClosed, LinkClosing,
                                  ProbeDone, ArbiterTold, ArbiterDecided, KeysChanged, LocalApplied, FollowerApplied,
                                  LoopsChanged, HandOver, DiscardWanted>;

}  // namespace magpie::cluster
