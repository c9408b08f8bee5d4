#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/simulation.h"

namespace magpie::sim {

struct RunOptions {
  bool print = false;
  std::vector<std::string> without;  // rules, "R4"
  Plane plane = Plane::Model;
};

struct Outcome {
  std::optional<std::string> violation;
  std::uint64_t hash = 0;
  std::uint64_t events = 0;
  std::size_t done = 0;  // commands of clients
};

/// Switches a rule off. False if there is no such rule to be switched off, or not in the setup's data plane.
bool switch_off(std::string_view rule, Setup& setup);
/// All rules that can be.
std::vector<std::string_view> switchable_rules();

/// The shard that a seed stands for.
Setup setup_of(std::uint64_t seed);
/// Lets it work for a while with faults, then without, and checks what must have come of it.
Outcome run_seed(std::uint64_t seed, const RunOptions& options);

/// After the last fault: somebody serves, replicas come together, histories are right.
void check_recovery(Simulation& simulation);
Outcome outcome_of(Simulation& simulation);

}  // namespace magpie::sim
