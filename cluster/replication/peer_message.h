#pragma once

#include <cstdint>
#include <variant>

#include "cluster/replication/boot_time.h"
#include "cluster/replication/identity.h"

namespace magpie::cluster {

/// From a leader every `heartbeat` to whoever must confirm, or soon may have to.
struct Heartbeat {
  Term term;
  Member leader;
  Member follower;
  Lsn lsn;     // the leader's last record
  Lsn commit;
  std::int64_t time_ms = 0;  // the leader's wall clock
  BootTime sent;             // the leader's clock, to be sent back
  bool stuck = false;        // R25: it cannot change the ISR, for the arbiter does not answer
  bool operator==(const Heartbeat&) const = default;
};

struct HeartbeatAnswer {
  Term term;  // of the heartbeat
  Member leader;
  Member follower;
  LogPosition position;
  BootTime sent;  // of the heartbeat
  bool operator==(const HeartbeatAnswer&) const = default;
};

/// Why somebody wants to lead.
enum class CampaignReason : std::uint8_t {
  Silence,       // nothing was heard of the leader for G
  ProofOfDeath,  // R1
  SoleLost,      // R23
  AllDead,       // R24
  First,         // there is no shard yet
};

/// Would anything speak against my leading? Nothing is promised by an answer.
struct PreVote {
  std::uint64_t round = 0;  // to be sent back
  Member candidate;
  Term term;  // of the leader that seems to be gone
  CampaignReason reason = CampaignReason::Silence;
  bool operator==(const PreVote&) const = default;
};

struct PreVoteAnswer {
  std::uint64_t round = 0;
  Member voter;
  bool heard = false;  // of the leader, lately
  bool complete = false;
  LogPosition position;
  bool operator==(const PreVoteAnswer&) const = default;
};

using PeerMessage = std::variant<Heartbeat, HeartbeatAnswer, PreVote, PreVoteAnswer>;

}  // namespace magpie::cluster
