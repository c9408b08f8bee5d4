#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/replication/identity.h"
#include "cluster/replication/rules.h"
#include "cluster/replication/timing.h"

namespace magpie::cluster {

enum class ReplicationMode : std::uint8_t { Async, Semi, Isr };

/// What a replica of a static shard is given at its start.
struct ReplicaConfig {
  std::string prefix = "/magpie/static/";  // of all keys in the arbiter
  std::string shard = "0";
  Member self;
  std::vector<NodeId> nodes;  // of the shard, this one too; the first is preferred where nothing else decides
  std::string node_details;   // for nodes/<id>
  ReplicationMode mode = ReplicationMode::Async;
  std::size_t semi_acks = 1;
  std::size_t min_isr = 1;
  bool restart_on_total_loss = true;  // R24
  bool direct_addresses = true;       // R1: nodes reach each other with nothing between
  Timing timing;
  Rules rules;  // all on, but in tests
};

/// Place of a node in the list; the end for one that is not in it.
inline std::size_t place_of(const ReplicaConfig& config, const NodeId& node) {
  return static_cast<std::size_t>(std::ranges::find(config.nodes, node) - config.nodes.begin());
}

}  // namespace magpie::cluster
