// magpie-sim --seed N [--trace]: one shard, one seed.

#include <cstdio>

#include "tests/sim/simulation.h"

int main(int argc, char** argv) {
  using namespace magpie;
  (void)argc;
  (void)argv;
  sim::Setup setup;
  setup.seed = 1;
  setup.print = true;
  setup.replica.mode = cluster::ReplicationMode::Isr;
  setup.replica.min_isr = 2;
  sim::Simulation simulation(setup);
  simulation.start_clients();
  simulation.run_for(sim::seconds(5));
  simulation.stop_clients();
  simulation.run_for(sim::seconds(2));
  simulation.check_histories();
  if (simulation.checks().violation()) std::printf("%s\n", simulation.checks().violation()->c_str());
  std::printf("hash %016lx, %zu done, %lu events\n", simulation.trace().hash(), simulation.work().done,
              simulation.schedule().ran());
  return simulation.checks().violation() ? 1 : 0;
}
