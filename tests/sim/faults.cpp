#include "tests/sim/faults.h"

#include <memory>
#include <utility>

namespace magpie::sim {

void Faults::trace(const char* what, Place place) {
  simulation_->trace().add(
      place, [&] { return std::string("-- ") + what + (place < kMostNodes ? ' ' + name_of(place) : std::string()); });
}

void Faults::begin_random(TrueTime until, std::size_t how_many) {
  const nanoseconds span = until - simulation_->schedule().now();
  for (std::size_t number = 0; number < how_many; ++number) {
    simulation_->schedule().after(random_.between(nanoseconds(0), span), [this] {
      if (!ended_) random_fault();
    });
  }
}

void Faults::end_all() {
  ended_ = true;
  for (const auto& ending : std::exchange(endings_, {})) ending();
  for (Place place = 0; place < simulation_->processes().size(); ++place) {
    simulation_->begin(place);
    simulation_->process(place)->pause_within(nanoseconds(0));
    simulation_->process(place)->resume();
  }
  trace("no more faults", kArbiter);
}

Place Faults::aim() {
  const auto leader = simulation_->leader();
  if (leader && random_.percent(50)) return place_of_name(leader->self().node);
  return random_.below(simulation_->processes().size());
}

nanoseconds Faults::some_time() {
  return random_.percent(50) ? random_.between(milliseconds(50), milliseconds(900))
                             : random_.between(nanoseconds(milliseconds(500)), longest_);
}

void Faults::random_fault() {
  const Place place = aim();
  const nanoseconds time = some_time();
  const Place other = random_.below(simulation_->processes().size());
  switch (random_.below(20)) {
    case 0:
    case 1:
      return crash(place, random_.percent(40) ? random_.between(milliseconds(2), milliseconds(50)) : time);
    case 2:
      return pause(place, time);
    case 3:
    case 4:
      return pause_within(place, time);
    case 5:
      return isolate(place, time);
    case 6:
      return cut(place, other, time);
    case 7:
      return cut(other, place, time);
    case 8:
      return isolate_from_arbiter(place, time);
    case 9:
      return late_arbiter(time);
    case 10:
      return deaf_arbiter(time);
    case 11:
      if (!simulation_->setup().replica.direct_addresses) refuse(place, time);
      return reset_links(place);
    case 12:
      return random_.percent(50) ? slow(place, time) : lossy(place, time);
    case 13:
      return stall_loops(place, time);
    case 14:
      return hand_over(other);
    case 15:
    case 16:
      return race(other);
    case 17:
      return crash_while_slow();
    case 18:
      return two_at_once(other, time);
    default:
      return reset_links(place);
  }
}

/// A follower hears nothing for about as long as it waits, and what it then writes comes late.
void Faults::race(Place follower) {
  const auto leader = simulation_->leader();
  if (!leader) return;
  const Place from = place_of_name(leader->self().node);
  if (random_.percent(40)) deaf_arbiter(random_.between(milliseconds(1'000), milliseconds(3'000)));
  late_arbiter(random_.between(milliseconds(1'500), milliseconds(3'500)));
  cut(from, follower, random_.between(milliseconds(700), milliseconds(1'600)));
  if (random_.percent(30)) isolate_from_arbiter(from, random_.between(milliseconds(500), milliseconds(2'500)));
}

/// What it has done last, few have heard of.
void Faults::crash_while_slow() {
  const auto leader = simulation_->leader();
  if (!leader) return;
  const Place place = place_of_name(leader->self().node);
  slow(place, milliseconds(800));
  simulation_->schedule().after(random_.between(milliseconds(50), milliseconds(600)), [this, place] {
    if (!ended_) crash(place, random_.between(milliseconds(5), milliseconds(1'500)));
  });
}

void Faults::two_at_once(Place other, nanoseconds time) {
  const auto leader = simulation_->leader();
  if (!leader) return;
  const Place place = place_of_name(leader->self().node);
  if (random_.percent(50)) {
    crash(other, random_.between(milliseconds(5), milliseconds(50)));
    simulation_->schedule().after(random_.between(milliseconds(1), milliseconds(700)), [this, place, time] {
      if (!ended_) crash(place, time);
    });
  } else {
    pause_within(place, time);
    pause_within(other, some_time());
    reset_links(place);
  }
}

void Faults::hold(int& counter, nanoseconds time, std::function<void()> then) {
  ++counter;
  auto end = std::make_shared<std::function<void()>>([&counter, then = std::move(then)] {
    --counter;
    if (then) then();
  });
  const auto once = [end] {
    if (*end) std::exchange(*end, nullptr)();
  };
  endings_.push_back(once);
  simulation_->schedule().after(time, once);
}

void Faults::crash(Place place, nanoseconds down) {
  simulation_->crash(place);
  simulation_->schedule().after(down, [this, place] { simulation_->begin(place); });
}

void Faults::pause(Place place, nanoseconds time) {
  trace("pause", place);
  if (const auto process = simulation_->process(place)) process->pause(time);
}

void Faults::pause_within(Place place, nanoseconds time) {
  trace("pause within a callback", place);
  if (const auto process = simulation_->process(place)) process->pause_within(time);
}

void Faults::cut(Place from, Place to, nanoseconds time) {
  if (from == to) return;
  trace("cut from", from);
  trace("       to", to);
  hold(simulation_->network().path(from, to).cuts, time);
}

void Faults::isolate(Place place, nanoseconds time) {
  trace("isolate", place);
  for (Place other = 0; other < simulation_->processes().size(); ++other) {
    if (other == place) continue;
    hold(simulation_->network().path(place, other).cuts, time);
    hold(simulation_->network().path(other, place).cuts, time);
  }
}

void Faults::isolate_from_arbiter(Place place, nanoseconds time) {
  trace("isolate from the arbiter", place);
  hold(simulation_->network().path(place, kArbiter).cuts, time);
  // Its watch goes on where it was.
  hold(simulation_->network().path(kArbiter, place).cuts, time, [this, place] {
    if (const auto process = simulation_->process(place)) process->handle(cluster::KeysChanged{});
  });
}

void Faults::refuse(Place place, nanoseconds time) {
  trace("proxies refuse connections to", place);
  for (Place other = 0; other < simulation_->processes().size(); ++other) {
    hold(simulation_->network().path(other, place).refusals, time);
  }
}

void Faults::slow(Place place, nanoseconds time) {
  trace("slow ways from", place);
  for (Place other = 0; other < simulation_->processes().size(); ++other) {
    hold(simulation_->network().path(place, other).slow, time);
  }
}

void Faults::lossy(Place place, nanoseconds time) {
  trace("lossy ways to", place);
  for (Place other = 0; other < simulation_->processes().size(); ++other) {
    hold(simulation_->network().path(other, place).lossy, time);
  }
}

void Faults::late_arbiter(nanoseconds time) {
  trace("late arbiter", kArbiter);
  hold(simulation_->arbiter().late, time);
}

void Faults::deaf_arbiter(nanoseconds time) {
  trace("answers of the arbiter get lost", kArbiter);
  hold(simulation_->arbiter().deaf, time);
}

void Faults::reset_links(Place place) {
  trace("links are reset at", place);
  if (const auto process = simulation_->process(place)) process->reset_links();
}

void Faults::stall_loops(Place place, nanoseconds time) {
  trace("a loop is stuck at", place);
  const auto process = simulation_->process(place);
  if (!process) return;
  process->stall_loops(true);
  auto once = [weak = std::weak_ptr(process)] {
    if (const auto same = weak.lock()) same->stall_loops(false);
  };
  endings_.push_back(once);
  simulation_->schedule().after(time, once);
}

void Faults::hand_over(Place to) {
  trace("hand over to", to);
  if (const auto process = simulation_->leader()) process->handle(cluster::HandOver{{name_of(to)}});
}

}  // namespace magpie::sim
