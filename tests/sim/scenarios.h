#pragma once

#include <span>
#include <string_view>

#include "tests/sim/faults.h"
#include "tests/sim/seed_run.h"

namespace magpie::sim {

/// Who is who in a story: A leads when it begins.
struct Cast {
  Place a = 0;
  Place b = 1;
  Place c = 2;
};

/// A story that shows what one rule is for: with all rules every invariant holds, without that rule one does not.
struct Scenario {
  std::string_view name;
  std::string_view rule;
  void (*prepare)(Setup& setup);
  void (*play)(Simulation& simulation, Faults& faults, const Cast& cast);
};
std::span<const Scenario> scenarios();

/// With one of several small differences.
Outcome run_scenario(const Scenario& scenario, std::uint64_t seed, const RunOptions& options);

}  // namespace magpie::sim
