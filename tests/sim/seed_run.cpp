#include "tests/sim/seed_run.h"

#include <algorithm>
#include <array>

#include "tests/sim/faults.h"

namespace magpie::sim {
namespace {

using cluster::ReplicationMode;

struct Switch {
  std::string_view name;
  void (*off)(Setup&);
  bool of_model = false;  // which alone can do without
};

constexpr std::array kSwitches{
    Switch{"R1", [](Setup& setup) { setup.replica.rules.proof_of_death = false; }},
    Switch{"R2", [](Setup& setup) { setup.replica.rules.silence = false; }},
    Switch{"R3", [](Setup& setup) { setup.replica.rules.settling = false; }},
    Switch{"R4", [](Setup& setup) { setup.replica.rules.joint_isr = false; }},
    Switch{"R4-patience", [](Setup& setup) { setup.replica.rules.patient_shrink = false; }},
    Switch{"R5", [](Setup& setup) { setup.replica.rules.identity = false; }},
    Switch{"R7", [](Setup& setup) { setup.replica.rules.pre_vote = false; }},
    Switch{"R8", [](Setup& setup) { setup.data_rules.fresh_clock = false; }},
    Switch{"R9", [](Setup& setup) { setup.replica.rules.unapplied_limit = false; }},
    Switch{"R11", [](Setup& setup) { setup.replica.rules.drain_before_hand_over = false; }},
    Switch{"R12", [](Setup& setup) { setup.data_rules.side_buffer = false; }},
    Switch{"R12-discard", [](Setup& setup) { setup.replica.rules.discard_only_outside = false; }},
    Switch{"R13", [](Setup& setup) { setup.data_rules.skip_repaired = false; }},
    Switch{"R14", [](Setup& setup) { setup.data_rules.whole_log = false; }, true},
    Switch{"R15", [](Setup& setup) { setup.data_rules.cursor_order = false; }, true},
    Switch{"R17", [](Setup& setup) { setup.data_rules.whole_groups = false; }, true},
    Switch{"R18", [](Setup& setup) { setup.data_rules.replies_wait = false; }},
    Switch{"R19", [](Setup& setup) { setup.data_rules.lease_at_reply = false; }},
    Switch{"R21", [](Setup& setup) { setup.replica.rules.semi_quorum = false; }},
    Switch{"R23", [](Setup& setup) { setup.replica.rules.sole_member_fence = false; }},
    Switch{"R24", [](Setup& setup) { setup.replica.rules.all_dead_only = false; }},
    Switch{"R25", [](Setup& setup) { setup.replica.rules.stuck_leader = false; }},
    Switch{"R26", [](Setup& setup) { setup.replica.rules.arbiter_from_past = false; }},
};

/// The rules' own limits, on the slowest clock.
constexpr milliseconds kRecovery{4'000};
constexpr milliseconds kTotalLossRecovery{16'500};

bool isr_is_lost(Simulation& simulation) {
  const auto& shard = simulation.checks().shard();
  if (!shard) return false;
  return std::ranges::none_of(simulation.processes(),
                              [&](const auto& process) { return process && contains(shard->isr, process->self()); });
}

void check_same(Simulation& simulation) {
  const auto leader = simulation.leader();
  if (!leader) return;
  for (const auto& process : simulation.processes()) {
    if (!process || process->data().position() != leader->data().position()) {
      return simulation.checks().violated("a replica has not caught up");
    }
    for (std::size_t key = 0; key < kKeys; ++key) {
      const bool same = key < kFirstList ? process->data().look(key) == leader->data().look(key)
                                         : process->data().look_list(key) == leader->data().look_list(key);
      if (!same) simulation.checks().violated(process->self().node.text + " has other data than the leader");
    }
  }
}

}  // namespace

bool switch_off(std::string_view rule, Setup& setup) {
  const auto found = std::ranges::find(kSwitches, rule, &Switch::name);
  if (found == kSwitches.end() || (found->of_model && setup.plane != Plane::Model)) return false;
  found->off(setup);
  return true;
}

std::vector<std::string_view> switchable_rules() {
  std::vector<std::string_view> names;
  names.reserve(kSwitches.size());
  for (const Switch& one : kSwitches) names.push_back(one.name);
  return names;
}

Setup setup_of(std::uint64_t seed) {
  Random random(seed ^ 0x6d61677069650000);
  Setup setup;
  setup.seed = seed;
  constexpr std::array<std::size_t, 10> kNodes{3, 3, 3, 3, 3, 3, 2, 2, 4, 5};
  setup.nodes = kNodes[random.below(kNodes.size())];
  constexpr std::array kDrifts{0, 5, cluster::kMostDrift, cluster::kMostDrift};
  setup.most_drift = kDrifts[random.below(kDrifts.size())];
  cluster::ReplicaConfig& replica = setup.replica;
  const std::uint64_t mode = random.below(100);
  replica.mode = mode < 65 ? ReplicationMode::Isr : mode < 80 ? ReplicationMode::Semi : ReplicationMode::Async;
  replica.min_isr = replica.mode == ReplicationMode::Isr && !random.percent(15) ? 2 : 1;
  replica.restart_on_total_loss = random.percent(50);
  replica.direct_addresses = random.percent(70);
  constexpr std::array<std::size_t, 3> kLogs{40, 200, 1'000};
  setup.limits.log_records = kLogs[random.below(kLogs.size())];
  setup.limits.chunk_delay = random.percent(30) ? milliseconds(80) : milliseconds(10);
  setup.clients = 2 + random.below(4);
  constexpr std::array<std::size_t, 5> kPaddings{0, 0, 0, 60, 400};
  setup.limits.padding = kPaddings[random.below(kPaddings.size())];
  return setup;
}

void check_recovery(Simulation& simulation) {
  const bool lost = isr_is_lost(simulation);
  simulation.run_for(kRecovery);
  Checks& checks = simulation.checks();
  // A late transaction may have made it so only now.
  if (lost || isr_is_lost(simulation)) simulation.run_for(kTotalLossRecovery);
  if (checks.violation()) return;
  if (isr_is_lost(simulation) && !simulation.setup().replica.restart_on_total_loss) {
    if (checks.somebody_serves()) checks.violated("somebody serves although all are dead");
    return simulation.check_histories();
  }
  if (!checks.somebody_serves()) return checks.violated("nobody serves after the last fault");
  const std::size_t writes = simulation.work().writes_done;
  simulation.run_for(seconds(2));
  if (simulation.work().writes_done == writes) checks.violated("nobody can write after the last fault");
  simulation.stop_clients();
  simulation.run_for(seconds(2));
  if (checks.violation()) return;
  check_same(simulation);
  simulation.check_histories();
}

Outcome outcome_of(Simulation& simulation) {
  return {simulation.checks().violation(), simulation.trace().hash(), simulation.schedule().ran(),
          simulation.work().done};
}

Outcome run_seed(std::uint64_t seed, const RunOptions& options) {
  Setup setup = setup_of(seed);
  setup.print = options.print;
  setup.plane = options.plane;
  for (const std::string& rule : options.without) switch_off(rule, setup);
  Random random(seed * 3 + 1);
  Simulation simulation(setup);
  Faults faults(simulation, random.fork());
  simulation.start_clients();
  simulation.run_for(milliseconds(700));
  const bool patient = random.percent(10);  // R23 and R24 are about ten seconds and more
  const nanoseconds time = patient ? seconds(30) : random.between(seconds(4), seconds(12));
  if (patient) faults.last_up_to(seconds(20));
  faults.begin_random(simulation.schedule().now() + time, 3 + random.below(24));
  simulation.run_for(time);
  faults.end_all();
  check_recovery(simulation);
  return outcome_of(simulation);
}

}  // namespace magpie::sim
