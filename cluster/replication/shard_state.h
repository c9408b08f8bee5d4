#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/replication/identity.h"

namespace magpie::cluster {

/// What the arbiter keeps of a shard under shards/<sid>. A value.
struct ShardState {
  std::uint64_t change = 0;  // one higher each time, so that no two are the same
  std::optional<Member> leader;
  std::vector<Member> isr;       // who must confirm a write; the leader too
  std::vector<Member> learners;  // who had all data once, and may lead when the ISR is lost (R23, R24)
  std::uint64_t loss_epoch = 0;  // how often a replica led that may lack confirmed writes
  bool operator==(const ShardState&) const = default;
};

/// What the arbiter keeps of a node under nodes/<id>.
struct NodeRecord {
  Incarnation incarnation;
  std::uint64_t puts = 0;   // one higher each time
  bool tombstone = false;   // an operator says that this incarnation will not come back
  std::string details;      // one line of the caller's: addresses, zone ...
  bool operator==(const NodeRecord&) const = default;
};

/// As text: a line with the version, then one line for each field. Reading takes just what writing makes.
std::string to_text(const ShardState& state);
std::string to_text(const NodeRecord& record);
std::string to_text(Term term);
std::optional<ShardState> parse_shard_state(std::string_view text);
std::optional<NodeRecord> parse_node_record(std::string_view text);
std::optional<Term> parse_term(std::string_view text);

inline bool contains(const std::vector<Member>& members, const Member& member) {
  return std::ranges::find(members, member) != members.end();
}

}  // namespace magpie::cluster
