#include <doctest/doctest.h>

#include "tests/sim/scenarios.h"
#include "tests/sim/seed_run.h"

using namespace magpie::sim;  // NOLINT(google-build-using-namespace): one file, one namespace under test

TEST_CASE("a seed is always the same run") {
  for (const Plane plane : {Plane::Model, Plane::Production}) {
    RunOptions options;
    options.plane = plane;
    for (const std::uint64_t seed : {3U, 4U, 5U}) {
      const Outcome once = run_seed(seed, options);
      const Outcome again = run_seed(seed, options);
      CHECK(once.hash == again.hash);
      CHECK(once.events == again.events);
      CHECK(once.done == again.done);
      CHECK(once.hash != run_seed(seed + 100, options).hash);
    }
  }
}

TEST_CASE("what clients did is much, and most of it was done") {
  std::size_t done = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) done += run_seed(seed, {}).done;
  CHECK(done > 10'000);
}

TEST_CASE("without faults the first leader serves all the time") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Setup setup = setup_of(seed);
    setup.seed = seed;
    Simulation simulation(setup);
    simulation.start_clients();
    simulation.run_for(seconds(1));
    const auto leader = simulation.leader();
    REQUIRE(leader);
    bool serves = true;
    for (int round = 0; round < 2'000; ++round) {
      simulation.run_for(milliseconds(5));
      serves &= leader->serves_now();
    }
    CHECK(serves);
    CHECK(leader->replica().term() == magpie::Term{1});
    CHECK(simulation.checks().shard()->isr.size() == setup.nodes);
    CHECK_FALSE(simulation.checks().violation());
  }
}

TEST_CASE("every rule can be named, and others cannot") {
  Setup setup;
  for (const std::string_view rule : switchable_rules()) CHECK(switch_off(rule, setup));
  CHECK_FALSE(switch_off("R99", setup));
  setup.plane = Plane::Production;
  CHECK(switch_off("R13", setup));
  CHECK_FALSE(switch_off("R14", setup));
  setup.plane = Plane::Model;
  for (const Scenario& scenario : scenarios()) {
    if (!scenario.rule.empty()) CHECK(switch_off(scenario.rule, setup));
  }
}

TEST_CASE("clocks go wrong, but not further than they may") {
  Random random(1);
  for (int number = 0; number < 100; ++number) {
    const DriftingClock clock(random, magpie::cluster::kMostDrift);
    const TrueTime begin{seconds(100)};
    const auto shown = clock.boot(begin + seconds(100)) - clock.boot(begin);
    CHECK(shown >= seconds(86));
    CHECK(shown <= seconds(114));
    CHECK(clock.when(clock.boot(begin)) >= begin - milliseconds(1));
    CHECK(clock.boot(clock.when(clock.boot(begin))) >= clock.boot(begin));
  }
}

TEST_CASE("a stream keeps its order, and waits for a cut to end") {
  Schedule schedule;
  Network network(schedule, Random(1));
  const auto stream = std::make_shared<Stream>(Stream::End{0, {}}, Stream::End{1, {}});
  std::vector<int> arrived;
  for (int number = 0; number < 50; ++number) {
    network.send(stream, 0, [&arrived, number] { arrived.push_back(number); });
  }
  network.path(0, 1).cuts = 1;
  while (schedule.run_next(TrueTime{seconds(1)})) {
  }
  CHECK(arrived.empty());
  network.path(0, 1).cuts = 0;
  while (schedule.run_next(TrueTime{seconds(2)})) {
  }
  REQUIRE(arrived.size() == 50);
  CHECK(std::ranges::is_sorted(arrived));
}

TEST_CASE("who closes a stream tells the other side") {
  Schedule schedule;
  Network network(schedule, Random(1));
  int told = 0;
  const auto stream =
      std::make_shared<Stream>(Stream::End{0, [&told] { told += 1; }}, Stream::End{1, [&told] { told += 10; }});
  network.close(stream, 0);
  while (schedule.run_next(TrueTime{seconds(1)})) {
  }
  CHECK(told == 10);
}
