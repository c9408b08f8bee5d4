// What uses and time do to the heat of keys.
#include <doctest/doctest.h>

#include <string>

#include "server/engine/keyspace.h"
#include "tests/engine/keyspace_fixture.h"

using magpie::Db;
using magpie::Instant;
using magpie::engine::EvictionPolicy;
using magpie::engine::Heat;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::engine::kFirstFrequency;
using magpie::testing::kNow;
using magpie::testing::number_key;
using magpie::testing::put;

namespace {

constexpr Instant later(std::int64_t ms) { return Instant{kNow.ms + ms}; }
constexpr std::int64_t kMinute = 60'000;

Heat heat_of(const Keyspace& keyspace, int number) {
  const std::string name = number_key(number);
  return keyspace.heat(Db{0}, Key::of(name)).value();
}
void use(Keyspace& keyspace, int number, Instant now) {
  const std::string name = number_key(number);
  REQUIRE(keyspace.use(Db{0}, Key::of(name), now) != nullptr);
}
void sweep(Keyspace& keyspace, Instant now, std::size_t step = 10) {
  while (keyspace.sweep_heats(now, step)) {
  }
}

}  // namespace

TEST_CASE("idle time starts anew with each use and survives a thousand epochs") {
  Keyspace keyspace({1, true});
  for (int number = 0; number < 1000; ++number) put(keyspace, number_key(number), "v");
  for (int second = 1; second <= 1000; ++second) {
    use(keyspace, 1, later(second * 1000));
    sweep(keyspace, later(second * 1000));
  }
  CHECK(keyspace.idle_ms(heat_of(keyspace, 1), later(1'000'000)) == 0);
  for (int number = 2; number < 1000; ++number) {
    CHECK(keyspace.idle_ms(heat_of(keyspace, number), later(1'000'000)) > 500'000);
    CHECK(keyspace.idle_ms(heat_of(keyspace, number), later(1'000'000)) <= 1'000'000);
  }
}

TEST_CASE("a key that returns in later epochs goes up, within an epoch it does not") {
  Keyspace keyspace({1, true});
  put(keyspace, number_key(0), "v");
  for (int hit = 0; hit < 100; ++hit) use(keyspace, 0, later(50));
  CHECK(class_of(heat_of(keyspace, 0)) == 0);
  for (int second = 1; second <= 3; ++second) use(keyspace, 0, later(second * 1000));
  CHECK(class_of(heat_of(keyspace, 0)) == 3);
  for (int second = 4; second <= 400; ++second) {
    use(keyspace, 0, later(second * 1000));
    sweep(keyspace, later(second * 1000));
  }
  CHECK(class_of(heat_of(keyspace, 0)) == 7);
}

TEST_CASE("frequencies decay once for each decay time") {
  Keyspace keyspace({1, true});
  keyspace.set_eviction({.policy = EvictionPolicy::AllKeysLfu, .lfu_log_factor = 0, .lfu_decay_minutes = 2});
  sweep(keyspace, kNow);
  for (int number = 0; number < 1000; ++number) put(keyspace, number_key(number), "v");
  CHECK(heat_of(keyspace, 7) == kFirstFrequency);
  for (int hit = 0; hit < 10; ++hit) use(keyspace, 7, kNow);
  CHECK(index_of(heat_of(keyspace, 7)) == 15);
  sweep(keyspace, later(2 * kMinute - 1));
  CHECK(index_of(heat_of(keyspace, 7)) == 15);
  sweep(keyspace, later(2 * kMinute));
  CHECK(index_of(heat_of(keyspace, 7)) == 14);
  CHECK(index_of(heat_of(keyspace, 8)) == 4);
  sweep(keyspace, later(2 * kMinute));
  CHECK(index_of(heat_of(keyspace, 7)) == 14);
  sweep(keyspace, later(9 * kMinute));
  CHECK(index_of(heat_of(keyspace, 7)) == 11);
  keyspace.set_eviction({.policy = EvictionPolicy::AllKeysLfu, .lfu_decay_minutes = 0});
  sweep(keyspace, later(1000 * kMinute));
  CHECK(index_of(heat_of(keyspace, 7)) == 11);
}

TEST_CASE("a change of policy translates what there is") {
  Keyspace keyspace({1, true});
  for (int number = 0; number < 100; ++number) put(keyspace, number_key(number), "v");
  for (int second = 1; second <= 3; ++second) use(keyspace, 5, later(second * 1000));
  keyspace.set_eviction({.policy = EvictionPolicy::AllKeysLfu});
  sweep(keyspace, later(4000), 3);
  CHECK(index_of(heat_of(keyspace, 5)) == 8);
  CHECK(heat_of(keyspace, 6) == kFirstFrequency);
  keyspace.set_eviction({.policy = EvictionPolicy::AllKeysLru});
  sweep(keyspace, later(5000), 3);
  CHECK(class_of(heat_of(keyspace, 5)) == 0);
  CHECK(keyspace.idle_ms(heat_of(keyspace, 5), later(5000)) <= 2000);
}

TEST_CASE("a string that is made by writing into it counts one use") {
  Keyspace keyspace({1, true});
  keyspace.set_eviction({.policy = EvictionPolicy::AllKeysLfu, .lfu_log_factor = 0});
  const std::string name = number_key(0);
  keyspace.apply(magpie::engine::Overwrite{Db{0}, Key::of(name), 0, "text"}, kNow);
  CHECK(heat_of(keyspace, 0) == kFirstFrequency);
  keyspace.apply(magpie::engine::Overwrite{Db{0}, Key::of(name), 4, "more"}, kNow);
  CHECK(index_of(heat_of(keyspace, 0)) == index_of(kFirstFrequency) + 1);
}
