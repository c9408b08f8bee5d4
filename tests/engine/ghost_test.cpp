#include "server/engine/ghost.h"

#include <doctest/doctest.h>

#include <optional>

#include "server/engine/table.h"
#include "tests/engine/random.h"

using magpie::engine::Ghost;
using magpie::engine::Heat;
using magpie::engine::HeatMap;
using magpie::engine::kHeats;

namespace {

Heat heat(unsigned number) { return Heat{static_cast<std::uint8_t>(number)}; }

}  // namespace

TEST_CASE("a ghost without room remembers nothing") {
  Ghost ghost;
  CHECK_FALSE(ghost.remember(1, heat(3)).has_value());
  CHECK_FALSE(ghost.recall(1).has_value());
}

TEST_CASE("what was remembered comes back once, with its heat") {
  Ghost ghost;
  ghost.resize(100);
  CHECK(ghost.size() == 100);
  for (const unsigned number : {0U, 1U, 77U, 255U}) {
    CHECK_FALSE(ghost.remember(number + 1000, heat(number)).has_value());
    CHECK(ghost.recall(number + 1000) == heat(number));
    CHECK_FALSE(ghost.recall(number + 1000).has_value());
  }
}

TEST_CASE("a set holds four keys, and the oldest leaves first, with its heat") {
  Ghost ghost;
  ghost.resize(4);
  for (unsigned number = 0; number < 4; ++number) CHECK_FALSE(ghost.remember(number, heat(number + 10)).has_value());
  for (unsigned number = 4; number < 8; ++number) CHECK(ghost.remember(number, heat(number + 10)) == heat(number + 6));
  CHECK(ghost.recall(5) == heat(15));  // one from the middle: the others stay in order
  CHECK_FALSE(ghost.remember(9, heat(1)).has_value());
  CHECK(ghost.remember(10, heat(2)) == heat(14));
  CHECK(ghost.recall(9) == heat(1));
}

TEST_CASE("keys that were never evicted are rarely taken for some that were") {
  Ghost ghost;
  ghost.resize(4096);
  magpie::testing::Random random(1);
  for (int number = 0; number < 8192; ++number) ghost.remember(random.next(), heat(5));
  int wrong = 0;
  constexpr int kTries = 20'000;
  for (int number = 0; number < kTries; ++number) {
    const std::uint64_t other = random.next();
    if (const auto found = ghost.recall(other)) {
      ++wrong;
      ghost.remember(other, *found);
    }
  }
  CHECK(wrong < kTries * 2 / 100);  // 4 of 255
  CHECK(wrong > 0);
}

TEST_CASE("a new size keeps most of what fits") {
  Ghost ghost;
  ghost.resize(4000);
  magpie::testing::Random keys(2);
  for (int number = 0; number < 2000; ++number) ghost.remember(keys.next(), heat(1));
  ghost.resize(2000);
  int found = 0;
  magpie::testing::Random again(2);
  for (int number = 0; number < 2000; ++number) found += ghost.recall(again.next()).has_value() ? 1 : 0;
  CHECK(found > 600);
  ghost.resize(0);
  CHECK(ghost.memory() == 0);
  CHECK_FALSE(ghost.recall(1).has_value());
}

TEST_CASE("heats are mapped in all cells, empty ones stay empty") {
  Ghost ghost;
  ghost.resize(8);
  for (unsigned number = 0; number < 6; ++number) ghost.remember(number, heat(number));
  HeatMap map{};
  for (unsigned number = 0; number < kHeats; ++number) map[number] = heat(number + 100);
  for (std::size_t set = 0; set < ghost.sets(); ++set) ghost.map_heats(set, map);
  unsigned found = 0;
  for (unsigned number = 0; number < 6; ++number) {
    const auto one = ghost.recall(number);
    if (!one) continue;
    ++found;
    CHECK(*one == heat(number + 100));
  }
  CHECK(found >= 4);
  for (std::uint64_t number = 0; number < 10'000; ++number) REQUIRE_FALSE(ghost.recall(number * 77 + 5).has_value());
}

TEST_CASE("room is made for the planned number of keys with the next one that leaves, and not for every change") {
  Ghost ghost;
  ghost.plan(1000);
  CHECK(ghost.size() == 0);
  ghost.remember(1, heat(1));
  const std::size_t first = ghost.size();
  CHECK(first >= 1000);
  CHECK(first < 1100);
  CHECK(ghost.recall(1) == heat(1));
  for (const std::size_t keys : {900U, 1300U}) {
    ghost.plan(keys);
    ghost.remember(2, heat(1));
    CHECK(ghost.size() == first);
  }
  ghost.plan(2000);
  ghost.remember(3, heat(1));
  CHECK(ghost.size() >= 2000);
  ghost.plan(500);
  ghost.remember(4, heat(1));
  CHECK(ghost.size() < 600);
  ghost.plan(2000);
  ghost.resize(0);  // which outweighs a plan
  ghost.remember(5, heat(1));
  CHECK(ghost.size() == 0);
}
