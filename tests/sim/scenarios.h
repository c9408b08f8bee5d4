#pragma once

#include <span>
#include <string_view>

#include "tests/sim/faults.h"
#include "tests/sim/seed_run.h"

namespace magpie::sim {

/// A story that shows what one rule is for: with all rules every invariant holds, without that rule one does not.
struct Scenario {
  std::string_view name;
  std::string_view rule;
  void (*prepare)(Setup& setup);
  void (*play)(Simulation& simulation, Faults& faults);
};
std::span<const Scenario> scenarios();

Outcome run_scenario(const Scenario& scenario, const RunOptions& options);

}  // namespace magpie::sim
