#pragma once

#include <functional>
#include <vector>

#include "tests/sim/simulation.h"

namespace magpie::sim {

/// What goes wrong, and how it ends. All of it has ended, and every machine runs, once `end_all` was called.
class Faults {
 public:
  Faults(Simulation& simulation, Random random) : simulation_(&simulation), random_(random) {}

  /// Random faults may last so long.
  void last_up_to(nanoseconds longest) { longest_ = longest; }
  /// At random times from now on, aimed at the leader more often than chance would.
  void begin_random(TrueTime until, std::size_t how_many);
  void end_all();

  // one of each, now; those with a time end by themselves after it
  void crash(Place place, nanoseconds down);
  void pause(Place place, nanoseconds time);
  void pause_within(Place place, nanoseconds time);
  void cut(Place from, Place to, nanoseconds time);
  void isolate(Place place, nanoseconds time);  // from other machines, both ways; not from the arbiter
  void isolate_from_arbiter(Place place, nanoseconds time);
  void refuse(Place place, nanoseconds time);  // a proxy refuses new connections to it
  void slow(Place place, nanoseconds time);
  void lossy(Place place, nanoseconds time);
  void late_arbiter(nanoseconds time);
  void deaf_arbiter(nanoseconds time);
  void reset_links(Place place);
  void stall_loops(Place place, nanoseconds time);
  void hand_over(Place to);

 private:
  void random_fault();
  void race(Place follower);
  void crash_while_slow();
  void two_at_once(Place other, nanoseconds time);
  Place aim();
  nanoseconds some_time();
  /// Counts up now and down later.
  void hold(int& counter, nanoseconds time, std::function<void()> then = {});
  void trace(const char* what, Place place);

  Simulation* simulation_;
  Random random_;
  bool ended_ = false;
  nanoseconds longest_ = seconds(3);
  std::vector<std::function<void()>> endings_;
};

}  // namespace magpie::sim
