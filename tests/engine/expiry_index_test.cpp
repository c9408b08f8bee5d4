#include "server/engine/expiry_index.h"

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <set>

#include "tests/engine/random.h"

using magpie::Instant;
using magpie::engine::ExpiryIndex;
using magpie::testing::Random;

namespace {

constexpr std::int64_t kStart = 1'700'000'000'000;

Instant at(std::int64_t ms) { return Instant{kStart + ms}; }

}  // namespace

TEST_CASE("an empty index has nothing due") {
  ExpiryIndex index;
  CHECK_FALSE(index.earliest().has_value());
  CHECK_FALSE(index.sample(7).has_value());
  CHECK(index.volatile_keys() == 0);
  CHECK(index.mean_ttl(Instant{5}) == 0);
  CHECK(index.memory() == 0);
  index.settle(9, std::nullopt);
  index.moved(3, 4);
  index.drop(5);
  CHECK_FALSE(index.earliest().has_value());
}

TEST_CASE("the earliest group comes first, whatever was noted, settled, moved and dropped") {
  constexpr std::uint32_t kGroups = 200;
  Random random(1);
  ExpiryIndex index;
  std::map<std::uint32_t, std::int64_t> model;  // by group
  for (int step = 0; step < 100'000; ++step) {
    const auto group = static_cast<std::uint32_t>(random.below(kGroups));
    const auto due = static_cast<std::int64_t>(random.below(1'000'000));
    switch (random.below(8)) {
      case 0:
        index.settle(group, std::nullopt);
        model.erase(group);
        break;
      case 1:
      case 2:
        index.settle(group, at(due));
        model[group] = due;
        break;
      case 3: {
        const auto to = static_cast<std::uint32_t>(random.below(kGroups));
        index.moved(group, to);
        if (model.contains(group)) model[to] = model.contains(to) ? std::min(model[to], model[group]) : model[group];
        break;
      }
      case 4:
        index.drop(kGroups - 1);
        model.erase(kGroups - 1);
        break;
      default:
        index.note(group, at(due));
        model[group] = model.contains(group) ? std::min(model[group], due) : due;
    }
    const auto first = index.earliest();
    REQUIRE(first.has_value() == !model.empty());
    if (!first) continue;
    REQUIRE(model.at(first->group) == first->at.ms - kStart);
    for (const auto& [other, time] : model) REQUIRE(time >= first->at.ms - kStart);
    REQUIRE(index.sample(random.next()).has_value());
  }
  CHECK(index.memory() <= kGroups * 8 * 2 + (2 * kGroups + 64) * 8 * 2);
}

TEST_CASE("times beyond what is kept come at the ends, in order") {
  ExpiryIndex index;
  index.note(1, Instant{std::numeric_limits<std::int64_t>::max()});
  index.note(2, Instant{std::numeric_limits<std::int64_t>::max() - 1});
  index.note(3, Instant{std::numeric_limits<std::int64_t>::min()});
  index.note(4, at(0));
  std::set<std::uint32_t> late;
  for (int i = 0; i < 4; ++i) {
    const auto due = index.earliest();
    REQUIRE(due.has_value());
    if (i == 0) CHECK(due->group == 3);
    if (i == 1) CHECK(due->group == 4);
    if (i > 1) late.insert(due->group);
    index.settle(due->group, std::nullopt);
  }
  CHECK(late == std::set<std::uint32_t>{1, 2});
  CHECK_FALSE(index.earliest().has_value());
}

TEST_CASE("mean time to live is that of the keys counted") {
  ExpiryIndex index;
  index.count(Instant{1000}, 1);
  index.count(Instant{3000}, 1);
  CHECK(index.volatile_keys() == 2);
  CHECK(index.mean_ttl(Instant{500}) == 1500);
  CHECK(index.mean_ttl(Instant{5000}) == 0);
  index.count(Instant{1000}, -1);
  CHECK(index.mean_ttl(Instant{500}) == 2500);
  // Sums beyond 64 bits.
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  index.count(Instant{3000}, -1);
  for (int i = 0; i < 10; ++i) index.count(Instant{kLast}, 1);
  CHECK(index.mean_ttl(Instant{0}) == kLast);
}

TEST_CASE("times that are brought forward again and again take no more memory") {
  ExpiryIndex index;
  index.count(at(0), 1);
  for (int step = 0; step < 100'000; ++step) index.note(0, at(1'000'000 - step));
  CHECK(index.memory() <= 2048);
  CHECK(index.earliest()->at == at(900'001));
}

TEST_CASE("the index forgets everything when the last key with a time goes, or by clear()") {
  for (const bool by_clear : {false, true}) {
    ExpiryIndex index;
    for (std::uint32_t group = 0; group < 1000; ++group) {
      index.note(group, at(group));
      index.count(at(group), 1);
    }
    if (by_clear) {
      index.clear();
    } else {
      for (std::uint32_t group = 0; group < 1000; ++group) index.count(at(group), -1);
    }
    CHECK_FALSE(index.earliest().has_value());
    CHECK(index.volatile_keys() == 0);
    CHECK(index.mean_ttl(Instant{0}) == 0);
    CHECK(index.memory() == 0);
  }
}
