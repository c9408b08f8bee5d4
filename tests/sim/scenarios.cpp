#include "tests/sim/scenarios.h"

#include <array>

namespace magpie::sim {
namespace {

using cluster::ReplicationMode;

constexpr seconds kLong{60};

void expect_service(Simulation& simulation, const char* what) {
  if (!simulation.checks().somebody_serves()) simulation.checks().violated(what);
}

void cut_both_ways(Faults& faults, Place one, Place other, nanoseconds time) {
  faults.cut(one, other, time);
  faults.cut(other, one, time);
}

/// The leader has nobody but itself, and then no arbiter: the learner may lead, once the leader has stopped by itself.
void sole_member(Simulation& simulation, Faults& faults, const Cast& cast) {
  cut_both_ways(faults, cast.a, cast.b, kLong);
  simulation.run_for(seconds(3));
  faults.isolate_from_arbiter(cast.a, kLong);
  simulation.run_for(seconds(20));
  expect_service(simulation, "the learner does not lead");
  faults.end_all();
}

/// The leader comes back empty while those who have its data are stopped: it must wait for them.
void all_dead(Simulation& simulation, Faults& faults, const Cast& cast) {
  faults.pause(cast.b, seconds(18));
  faults.pause(cast.c, seconds(18));
  faults.crash(cast.a, milliseconds(20));
  simulation.run_for(seconds(22));
  faults.end_all();
}

/// The leader can neither change the ISR nor do without the member that is gone; the other one can.
void stuck_leader(Simulation& simulation, Faults& faults, const Cast& cast) {
  faults.isolate_from_arbiter(cast.a, kLong);
  faults.crash(cast.c, kLong);
  simulation.run_for(milliseconds(4'500));
  expect_service(simulation, "everyone waits for ever");
  faults.end_all();
}

/// The leader hears the arbiter but no follower; these hear each other, and clients hear them.
void isolated_leader(Simulation& simulation, Faults& faults, const Cast& cast) {
  faults.isolate(cast.a, kLong);
  simulation.run_for(seconds(3));
  const std::size_t writes = simulation.work().writes_done;
  simulation.run_for(seconds(2));
  if (simulation.work().writes_done == writes) simulation.checks().violated("two of three cannot write");
  faults.end_all();
}

/// The arbiter has forgotten all, and a node that has, too, must not begin the shard anew beside those that remember.
void arbiter_from_past(Simulation& simulation, Faults& faults, const Cast& cast) {
  simulation.arbiter().lose_everything();
  faults.crash(cast.c, milliseconds(20));
  simulation.run_for(seconds(3));
  simulation.stop_clients();
}

/// What was acknowledged before a planned change of leaders is there after it, in every mode.
void hand_over(Simulation& simulation, Faults& faults, const Cast& cast) {
  simulation.checks().keep_all_acknowledged();
  faults.slow(cast.a, milliseconds(600));
  simulation.run_for(milliseconds(200));
  faults.hand_over(cast.b);
  simulation.run_for(seconds(3));
  faults.end_all();
}

/// The one follower that has what was acknowledged is slow to say so, but not slower than others wait for it.
void semi_quorum(Simulation& simulation, Faults& faults, const Cast& cast) {
  simulation.checks().keep_all_acknowledged();
  faults.slow(cast.b, seconds(3));
  faults.cut(cast.a, cast.c, seconds(1));
  simulation.run_for(milliseconds(370));
  faults.crash(cast.a, seconds(5));
  simulation.run_for(seconds(3));
  faults.end_all();
}

/// Another process has taken the id of the sole member, which therefore counts as dead.
void node_id_twice(Simulation& simulation, Faults& faults, const Cast& cast) {
  cut_both_ways(faults, cast.a, cast.b, kLong);
  simulation.run_for(seconds(2));
  cluster::NodeRecord record;
  record.incarnation.bytes.fill(7);
  simulation.arbiter().put(std::string(Checks::kPrefix) + "nodes/" + name_of(cast.a), to_text(record));
  simulation.run_for(seconds(16));
  expect_service(simulation, "the learner does not lead");
  faults.end_all();
}

/// A replica leads that was copied while another was away; that other one's place lies in what it only has in parts.
void hole(Simulation& simulation, Faults& faults, const Cast& cast) {
  faults.crash(cast.c, milliseconds(750));
  simulation.run_for(milliseconds(860));
  cut_both_ways(faults, cast.a, cast.b, kLong);
  faults.reset_links(cast.b);
  simulation.run_for(milliseconds(750));
  faults.crash(cast.a, seconds(3));
  simulation.run_for(seconds(3));
  faults.end_all();
}

/// A member has more than its new leader, and not enough of a log to mend that. It must keep what it has: it may have
/// to lead.
void wipe(Simulation& simulation, Faults& faults, const Cast& cast) {
  faults.cut(cast.a, cast.b, milliseconds(350));
  simulation.run_for(milliseconds(345));
  faults.pause(cast.c, milliseconds(400));
  faults.reset_links(cast.a);  // what was on its way is lost
  faults.crash(cast.a, kLong);
  simulation.run_for(milliseconds(472));
  faults.crash(cast.b, kLong);
  simulation.run_for(seconds(3));
  expect_service(simulation, "nobody has the data any more");
  faults.end_all();
}

/// The same with enough of a log; the new leader is gone before all has come that the member is mended with.
void half_mended(Simulation& simulation, Faults& faults, const Cast& cast) {
  faults.cut(cast.a, cast.b, milliseconds(350));
  simulation.run_for(milliseconds(345));
  faults.pause(cast.c, milliseconds(400));
  faults.reset_links(cast.a);
  faults.crash(cast.a, kLong);
  simulation.run_for(milliseconds(465) + std::chrono::microseconds(500) * simulation.setup().seed);
  faults.reset_links(cast.b);
  faults.crash(cast.b, kLong);
  simulation.run_for(seconds(3));
  expect_service(simulation, "nobody has the data any more");
  faults.end_all();
}

void two_in_async(Setup& setup) {
  setup.nodes = 2;
  setup.replica.mode = ReplicationMode::Async;
  setup.replica.restart_on_total_loss = true;
}

void three_in_isr(Setup& setup) {
  setup.replica.mode = ReplicationMode::Isr;
  setup.replica.min_isr = 2;
}

void short_logs(Setup& setup) {
  setup.replica.mode = ReplicationMode::Async;
  setup.replica.restart_on_total_loss = false;
  setup.limits.log_records = 10;
  setup.clients = 8;
}

void long_logs(Setup& setup) {
  setup.replica.mode = ReplicationMode::Isr;
  setup.replica.min_isr = 1;
  setup.replica.restart_on_total_loss = false;
  setup.limits.log_records = 1'000;
  setup.clients = 8;
}

void shortest_logs(Setup& setup) {
  long_logs(setup);
  setup.limits.log_records = 6;
}

void slow_copies(Setup& setup) {
  setup.replica.mode = ReplicationMode::Async;
  setup.limits.chunk_delay = milliseconds(80);
  setup.limits.log_records = 1'000;
}

void three_in_semi(Setup& setup) {
  setup.replica.mode = ReplicationMode::Semi;
  setup.replica.direct_addresses = false;
}

void three_in_async(Setup& setup) { setup.replica.mode = ReplicationMode::Async; }

constexpr std::array kScenarios{
    Scenario{"hole", "R14", slow_copies, hole},
    Scenario{"wipe", "R12-discard", short_logs, wipe},
    Scenario{"half-mended", "", long_logs, half_mended},
    Scenario{"not-mended", "R12", shortest_logs, half_mended},
    Scenario{"semi-quorum", "R21", three_in_semi, semi_quorum},
    Scenario{"node-id-twice", "", two_in_async, node_id_twice},
    Scenario{"hand-over", "R11", three_in_async, hand_over},
    Scenario{"sole-member", "R23", two_in_async, sole_member},
    Scenario{"all-dead", "R24", three_in_isr, all_dead},
    Scenario{"isolated-leader", "R4-patience", three_in_isr, isolated_leader},
    Scenario{"stuck-leader", "R25", three_in_isr, stuck_leader},
    Scenario{"arbiter-from-past", "R26", three_in_isr, arbiter_from_past},
};

Cast cast_of(const Simulation& simulation) {
  const auto leader = simulation.leader();
  Cast cast;
  if (leader) cast.a = place_of_name(leader->self().node);
  cast.b = cast.a == 0 ? 1 : 0;
  cast.c = 3 - cast.a - cast.b;
  return cast;
}

}  // namespace

std::span<const Scenario> scenarios() { return kScenarios; }

Outcome run_scenario(const Scenario& scenario, std::uint64_t seed, const RunOptions& options) {
  Setup setup;
  setup.seed = seed;
  setup.print = options.print;
  setup.plane = options.plane;
  setup.most_drift = 0;
  scenario.prepare(setup);
  for (const std::string& rule : options.without) switch_off(rule, setup);
  Simulation simulation(setup);
  Faults faults(simulation, Random(1));
  simulation.start_clients();
  simulation.run_for(seconds(1));
  scenario.play(simulation, faults, cast_of(simulation));
  if (scenario.rule != "R26") check_recovery(simulation);
  return outcome_of(simulation);
}

}  // namespace magpie::sim
