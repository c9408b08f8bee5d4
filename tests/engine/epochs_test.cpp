#include "server/engine/epochs.h"

#include <doctest/doctest.h>

#include <set>

using magpie::Instant;
using magpie::engine::Epochs;
using magpie::engine::Heat;
using magpie::engine::HeatMap;
using magpie::engine::kHeats;
using magpie::engine::kLabels;
using magpie::engine::Label;
using magpie::engine::make_heat;

namespace {

constexpr std::int64_t kStart = 1'700'000'000'000;
constexpr Instant at(std::int64_t ms) { return Instant{kStart + ms}; }

void tick(Epochs& epochs, Instant now) {
  if (epochs.is_due(now)) epochs.go_on(now);
}
/// All keys are gone through; there are none.
void sweep(Epochs& epochs) {
  epochs.sweep_map();
  epochs.swept();
}

}  // namespace

TEST_CASE("the clock begins an epoch each tenth of a second, and a use is known to that") {
  Epochs epochs;
  tick(epochs, at(0));
  const Label first = epochs.current();
  CHECK(epochs.age(first) == 0);
  CHECK_FALSE(epochs.is_due(at(Epochs::kShortestMs - 1)));
  tick(epochs, at(1000));
  const Label second = epochs.current();
  CHECK(second != first);
  CHECK(epochs.age(first) == 1);
  CHECK(epochs.idle_ms(first, at(5000)) == 5000);
  CHECK(epochs.idle_ms(second, at(5000)) == 4000);
  CHECK(epochs.idle_ms(second, at(0)) == 0);  // a clock that was set back
}

TEST_CASE("time without a use lengthens no epoch") {
  Epochs epochs;
  tick(epochs, at(0));
  const Label first = epochs.current();
  tick(epochs, at(3'600'000));
  CHECK(epochs.idle_ms(first, at(3'600'000)) == 3'600'000);
}

TEST_CASE("epochs of the clock reach back for days, with an error that grows with the age") {
  Epochs epochs;
  Label labels[4];
  constexpr std::int64_t kUses[4] = {0, 400'000'000, 490'000'000, 499'900'000};
  std::size_t next = 0;
  HeatMap moved{};
  for (std::int64_t ms = 0; ms < 500'000'000; ms += 1000) {
    tick(epochs, at(ms));
    if (next < 4 && ms == kUses[next]) labels[next++] = epochs.current();
    if (!epochs.wants_sweep()) continue;
    moved = epochs.sweep_map();
    for (std::size_t i = 0; i < next; ++i) labels[i] = label_of(moved[index_of(make_heat(0, labels[i]))]);
    epochs.swept();
  }
  for (std::size_t i = 0; i < 4; ++i) {
    const auto idle = static_cast<double>(500'000'000 - kUses[i]);
    CAPTURE(idle);
    CHECK(static_cast<double>(epochs.idle_ms(labels[i], at(500'000'000))) > 0.4 * idle);
    CHECK(static_cast<double>(epochs.idle_ms(labels[i], at(500'000'000))) < 1.6 * idle);
  }
}

TEST_CASE("by turnover the two oldest merge, so ages count epochs up to the oldest") {
  Epochs epochs;
  tick(epochs, at(0));
  const Label first = epochs.current();
  Label second{};
  for (unsigned turn = 1; turn <= 40; ++turn) {
    REQUIRE(epochs.turn_over(at(turn)));
    if (turn == 1) second = epochs.current();
    if (turn <= Epochs::kOldest) {
      CHECK(epochs.age(first) == turn);
      CHECK(epochs.age(second) == turn - 1);
    }
    if (epochs.wants_sweep()) sweep(epochs);
  }
}

TEST_CASE("a label is given anew only after a sweep that began when it was merged") {
  Epochs epochs;
  tick(epochs, at(0));
  std::set<unsigned> used{index_of(epochs.current())};
  int turns = 0;
  while (epochs.turn_over(at(++turns))) CHECK(used.insert(index_of(epochs.current())).second);
  CHECK(used.size() >= kLabels - 1);  // one more was there before the first
  const HeatMap map = epochs.sweep_map();
  for (unsigned heat = 0; heat < kHeats; ++heat) {
    CHECK(class_of(map[heat]) == class_of(Heat{static_cast<std::uint8_t>(heat)}));
    CHECK(epochs.age(label_of(map[heat])) == epochs.age(label_of(Heat{static_cast<std::uint8_t>(heat)})));
  }
  CHECK_FALSE(epochs.turn_over(at(turns)));
  epochs.swept();
  CHECK_FALSE(epochs.wants_sweep());
  const Label before = epochs.current();
  CHECK(epochs.turn_over(at(turns)));
  CHECK(epochs.current() != before);
}

TEST_CASE("once there is nothing to evict the clock goes on at once") {
  Epochs epochs;
  tick(epochs, at(0));
  epochs.hold_clock(at(500));
  CHECK_FALSE(epochs.is_due(at(5000)));
  epochs.release_clock(at(5000));
  CHECK(epochs.is_due(at(5000)));
}

TEST_CASE("while keys are evicted the clock begins no epochs; a clock set back does not stop it for good") {
  Epochs epochs;
  tick(epochs, at(0));
  epochs.hold_clock(at(500));
  CHECK_FALSE(epochs.is_due(at(9000)));
  CHECK(epochs.is_due(at(11'000)));
  epochs.hold_clock(at(100'000'000));
  epochs.check_clock(at(0));
  CHECK(epochs.is_due(at(0)));
}
