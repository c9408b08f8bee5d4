#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/replication/replica_config.h"
#include "tests/sim/clock.h"
#include "tests/sim/data_plane.h"
#include "tests/sim/data_rules.h"
#include "tests/sim/network.h"
#include "tests/sim/sim_arbiter.h"
#include "tests/sim/trace.h"

namespace magpie::sim {

class Process;
class Checks;

/// What the machines of a simulated shard share.
struct Surroundings {
  Schedule& schedule;
  Network& network;
  SimArbiter& arbiter;
  Trace& trace;
  Checks& checks;
  Random random;
  DataRules data_rules;
  DataLimits limits;
  Plane plane;
  /// The process that runs on a machine; none if it is down.
  std::function<std::shared_ptr<Process>(Place)> process_at;
  /// That machine's process is to end, and another to begin if `again` is not negative, so much later.
  std::function<void(Place, nanoseconds again)> end_process;
  std::uint64_t last_link = 0;
};

inline std::string name_of(Place place) { return std::string(1, static_cast<char>('a' + place)); }
inline Place place_of_name(const cluster::NodeId& node) { return static_cast<Place>(node.text.front() - 'a'); }

}  // namespace magpie::sim
