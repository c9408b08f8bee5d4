#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/replication/replica_config.h"
#include "tests/sim/checks.h"
#include "tests/sim/client.h"
#include "tests/sim/machine.h"
#include "tests/sim/process.h"

namespace magpie::sim {

/// How a shard is set up, and what may go wrong with it.
struct Setup {
  std::uint64_t seed = 0;
  bool print = false;
  std::size_t nodes = 3;
  std::size_t clients = 3;
  int most_drift = cluster::kMostDrift;
  cluster::ReplicaConfig replica;  // without names
  DataRules data_rules;
  DataLimits limits;
  Plane plane = Plane::Model;
};

/// One shard with its clients, in a time of its own.
class Simulation {
 public:
  explicit Simulation(const Setup& setup);
  ~Simulation();

  /// Until then, or the first violation.
  void run_until(TrueTime end);
  void run_for(nanoseconds time) { run_until(schedule_.now() + time); }
  void start_clients();
  void stop_clients();
  /// At the end, with clients stopped for a while.
  void check_histories();

  const Setup& setup() const { return setup_; }
  Schedule& schedule() { return schedule_; }
  Network& network() { return network_; }
  SimArbiter& arbiter() { return arbiter_; }
  Checks& checks() { return checks_; }
  Trace& trace() { return trace_; }
  Client::Work& work() { return work_; }

  const Checks::Processes& processes() const { return processes_; }
  std::shared_ptr<Process> process(Place place) const { return processes_[place]; }
  /// The arbiter's leader, if its process runs.
  std::shared_ptr<Process> leader() const;
  void crash(Place place);
  /// Empty, as a new incarnation; nothing if one runs already.
  void begin(Place place);

 private:
  cluster::ReplicaConfig config_of(Place place);

  Setup setup_;
  Random random_;
  Schedule schedule_;
  Network network_;
  SimArbiter arbiter_;
  Trace trace_;
  Checks checks_;
  Surroundings around_;
  std::vector<DriftingClock> clocks_;
  Checks::Processes processes_;
  Client::Work work_;
  std::vector<std::shared_ptr<Client>> clients_;
};

}  // namespace magpie::sim
