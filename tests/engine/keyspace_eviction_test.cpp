// Eviction by each policy, in a keyspace of one thread; random choices are bounded widely.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "server/engine/keyspace.h"
#include "server/engine/memory.h"
#include "tests/engine/keyspace_fixture.h"
#include "tests/engine/keyspace_model.h"

using magpie::Db;
using magpie::Instant;
using magpie::engine::EvictionPolicy;
using magpie::engine::Flush;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::engine::Put;
using magpie::engine::StringValue;
using magpie::engine::used_memory;
using magpie::testing::EffectLog;
using magpie::testing::kNow;
using magpie::testing::number_key;
using magpie::testing::put;

namespace {

constexpr Instant later(std::int64_t ms) { return Instant{kNow.ms + ms}; }

bool there(Keyspace& keyspace, int number) {
  const std::string key = number_key(number);
  return keyspace.peek(Db{0}, Key::of(key), kNow) != nullptr;
}
int count_there(Keyspace& keyspace, int from, int to) {
  int count = 0;
  for (int number = from; number < to; ++number) count += there(keyspace, number) ? 1 : 0;
  return count;
}
void touch(Keyspace& keyspace, int number, Instant now) {
  const std::string name = number_key(number);
  REQUIRE(keyspace.use(Db{0}, Key::of(name), now) != nullptr);
}
bool has_room(Keyspace& keyspace, std::int64_t limit, Instant now) {
  return keyspace.make_room(limit, now, SIZE_MAX) == Keyspace::Room::Enough;
}
/// Evicts until about this many keys are gone; they must all be of one size.
void evict(Keyspace& keyspace, std::uint64_t keys, Instant now) {
  const std::uint64_t goal = keyspace.keys(Db{0}) - keys;
  while (keyspace.keys(Db{0}) > goal) REQUIRE(has_room(keyspace, used_memory() - 1, now));
}

const std::map<std::string, EvictionPolicy> kPolicies = {
    {"noeviction", EvictionPolicy::NoEviction},          {"allkeys-lru", EvictionPolicy::AllKeysLru},
    {"allkeys-lfu", EvictionPolicy::AllKeysLfu},         {"allkeys-random", EvictionPolicy::AllKeysRandom},
    {"volatile-lru", EvictionPolicy::VolatileLru},       {"volatile-lfu", EvictionPolicy::VolatileLfu},
    {"volatile-random", EvictionPolicy::VolatileRandom}, {"volatile-ttl", EvictionPolicy::VolatileTtl}};

}  // namespace

TEST_CASE("settings come back as they were set") {
  Keyspace keyspace({1, true});
  for (const auto& [name, policy] : kPolicies) {
    keyspace.set_eviction({policy, 64, 1000, 100'000});
    CHECK(keyspace.eviction().policy == policy);
    CHECK(keyspace.eviction().samples == 64);
    CHECK(keyspace.eviction().lfu_log_factor == 1000);
    CHECK(keyspace.eviction().lfu_decay_minutes == 100'000);
  }
}

TEST_CASE("settings that are too large become the largest ones, not others") {
  constexpr unsigned kMost = std::numeric_limits<unsigned>::max();
  Keyspace keyspace({1, true});
  for (const unsigned samples : {255U, 256U, 512U, 1U << 24, kMost}) {
    keyspace.set_eviction({EvictionPolicy::AllKeysLru, samples, 10, 1});
    CHECK(keyspace.eviction().samples == 255);
    CHECK(keyspace.eviction().lfu_log_factor == 10);
  }
  for (const unsigned factor : {65'535U, 65'536U, 1U << 20, kMost}) {
    keyspace.set_eviction({EvictionPolicy::AllKeysLfu, 5, factor, kMost});
    CHECK(keyspace.eviction().samples == 5);
    CHECK(keyspace.eviction().lfu_log_factor == 65'535);
    CHECK(keyspace.eviction().lfu_decay_minutes == kMost);
  }
}

TEST_CASE("each policy keeps within the limit, and evicts only what it may") {
  constexpr int kKeys = 20'000;
  for (const auto& [name, policy] : kPolicies) {
    CAPTURE(name);
    Keyspace keyspace({2, true});
    EffectLog log;
    keyspace.set_eviction({.policy = policy});
    const std::int64_t start = used_memory();
    for (int number = 0; number < kKeys; ++number) {
      put(keyspace, number_key(number), std::string(200, 'v'),
          number % 2 == 0 ? std::optional(later(100'000 + number)) : std::nullopt, later(number));
    }
    keyspace.set_sink(&log);
    const std::int64_t limit = start + (used_memory() - start) * 7 / 10;
    const bool fits = has_room(keyspace, limit, later(kKeys));
    CHECK(fits == (policy != EvictionPolicy::NoEviction));
    if (fits) CHECK(used_memory() <= limit);
    const std::uint64_t evicted = kKeys - keyspace.keys(Db{0});
    CHECK(keyspace.counters().evicted == evicted);
    CHECK(log.size() == evicted);
    // Not many more than needed: entries take most of the memory, tables the rest.
    CHECK(evicted <= kKeys * 38 / 100);
    int persistent = 0;
    for (int number = 1; number < kKeys; number += 2) persistent += there(keyspace, number) ? 1 : 0;
    if (only_volatile(policy)) {
      CHECK(persistent == kKeys / 2);
      // When no volatile key is left, nothing more can go.
      CHECK_FALSE(has_room(keyspace, 0, later(kKeys)));
      CHECK(keyspace.keys(Db{0}) == kKeys / 2);
      CHECK(keyspace.size(Db{0}, kNow).volatile_keys == 0);
    } else if (fits) {
      CHECK(persistent < kKeys / 2);
      CHECK_FALSE(has_room(keyspace, 0, later(kKeys)));  // tables remain
      CHECK(keyspace.keys(Db{0}) == 0);
    }
  }
}

TEST_CASE("nothing is evicted within the limit") {
  Keyspace keyspace({1, true});
  keyspace.set_eviction({.policy = EvictionPolicy::AllKeysLru});
  for (int number = 0; number < 100; ++number) put(keyspace, number_key(number), "v");
  CHECK(has_room(keyspace, used_memory(), kNow));
  CHECK(keyspace.keys(Db{0}) == 100);
}

TEST_CASE("what is flushed but not yet freed goes before any key") {
  Keyspace keyspace({2, true});
  const std::int64_t start = used_memory();
  for (int number = 0; number < 5000; ++number) {
    const std::string key = number_key(number);
    keyspace.apply(Put{Db{1}, Key::of(key), StringValue::plain(std::string(100, 'v')), {}}, kNow);
  }
  const std::int64_t flushed = used_memory() - start;
  for (int number = 0; number < 100; ++number) put(keyspace, number_key(number), "v");
  keyspace.apply(Flush{Db{1}}, kNow);
  keyspace.set_eviction({.policy = EvictionPolicy::AllKeysRandom});
  CHECK(has_room(keyspace, used_memory() - flushed / 2, kNow));
  CHECK(keyspace.keys(Db{0}) == 100);
  keyspace.set_eviction({.policy = EvictionPolicy::NoEviction});
  CHECK(has_room(keyspace, used_memory() - flushed / 8, kNow));
  CHECK(keyspace.keys(Db{0}) == 100);
}

TEST_CASE("recency policies keep what was used recently") {
  for (const EvictionPolicy policy : {EvictionPolicy::AllKeysLru, EvictionPolicy::VolatileLru}) {
    Keyspace keyspace({1, true});
    keyspace.set_eviction({.policy = policy, .samples = 10});
    constexpr int kKeys = 10'000;
    for (int number = 0; number < kKeys; ++number) put(keyspace, number_key(number), "value", later(1'000'000));
    // The first half is used again later.
    for (int number = 0; number < kKeys / 2; ++number) touch(keyspace, number, later(10'000));
    evict(keyspace, kKeys / 4, later(20'000));
    // Half of the unused ones had to go; with ten samples nearly nothing else does.
    CHECK(count_there(keyspace, 0, kKeys / 2) > kKeys / 2 * 97 / 100);
  }
}

TEST_CASE("a small cache is served as one: the oldest of few keys go first") {
  int oldest_gone = 0;
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    Keyspace keyspace({1, true});
    keyspace.set_eviction({.policy = EvictionPolicy::AllKeysLru, .samples = 5});
    for (int number = 0; number < 6; ++number) put(keyspace, number_key(number), "value", {}, later(number * 1000));
    evict(keyspace, 1, later(10'000));
    oldest_gone += there(keyspace, 0) ? 0 : 1;
  }
  // Five of six keys in random order see the oldest in five rounds of six, somewhat less where keys share a stripe.
  CHECK(oldest_gone > kRounds / 2);
}

TEST_CASE("keys of one hash tag, all in one stripe, are compared with each other") {
  Keyspace keyspace({1, true});
  keyspace.set_eviction({.policy = EvictionPolicy::AllKeysLru, .samples = 10});
  const auto name = [](int number) { return "{t}" + std::to_string(number); };
  for (int number = 0; number < 1000; ++number) {
    put(keyspace, name(number), "value", {}, later(number * 100));
    keyspace.sweep_heats(later(number * 100), SIZE_MAX);
  }
  evict(keyspace, 250, later(200'000));
  int newer_left = 0;
  for (int number = 500; number < 1000; ++number) {
    const std::string key = name(number);
    newer_left += keyspace.peek(Db{0}, Key::of(key), kNow) != nullptr ? 1 : 0;
  }
  CHECK(newer_left > 450);
}

TEST_CASE("frequency policies keep what was used often") {
  for (const EvictionPolicy policy : {EvictionPolicy::AllKeysLfu, EvictionPolicy::VolatileLfu}) {
    Keyspace keyspace({1, true});
    keyspace.set_eviction({.policy = policy, .samples = 10});
    constexpr int kKeys = 4000;
    for (int number = 0; number < kKeys; ++number) put(keyspace, number_key(number), "value", later(1'000'000));
    for (int number = 0; number < kKeys / 2; ++number) {
      for (int hit = 0; hit < 50; ++hit) touch(keyspace, number, kNow);
    }
    // More recently used, but only once.
    for (int number = kKeys / 2; number < kKeys; ++number) touch(keyspace, number, later(1000));
    evict(keyspace, kKeys / 4, later(2000));
    CHECK(count_there(keyspace, 0, kKeys / 2) > kKeys / 2 * 95 / 100);
  }
}

TEST_CASE("random policies spare no part of the keys") {
  for (const EvictionPolicy policy : {EvictionPolicy::AllKeysRandom, EvictionPolicy::VolatileRandom}) {
    Keyspace keyspace({1, true});
    keyspace.set_eviction({.policy = policy});
    constexpr int kKeys = 10'000;
    for (int number = 0; number < kKeys; ++number)
      put(keyspace, number_key(number), "value", later(1'000'000 + number));
    evict(keyspace, kKeys / 2, kNow);
    for (int tenth = 0; tenth < 10; ++tenth) {
      const int left = count_there(keyspace, tenth * kKeys / 10, (tenth + 1) * kKeys / 10);
      CHECK(left > 400);
      CHECK(left < 600);
    }
  }
}

TEST_CASE("volatile-ttl takes what expires soonest") {
  Keyspace keyspace({1, true});
  keyspace.set_eviction({.policy = EvictionPolicy::VolatileTtl, .samples = 10});
  constexpr int kKeys = 10'000;
  for (int number = 0; number < kKeys; ++number) put(keyspace, number_key(number), "value", later(1000 + number));
  evict(keyspace, kKeys / 4, kNow);
  CHECK(count_there(keyspace, 0, kKeys / 5) < kKeys / 5 / 10);
  CHECK(count_there(keyspace, kKeys / 3, kKeys) == kKeys - kKeys / 3);
}

TEST_CASE("volatile-ttl within one stripe takes the earliest, whatever expiries were before") {
  Keyspace keyspace({1, true});
  keyspace.set_eviction({.policy = EvictionPolicy::VolatileTtl});
  const auto name = [](int number) { return "{t}" + std::to_string(number); };
  for (int number = 0; number < 100; ++number) put(keyspace, name(number), "value", later(1000 + number));
  // The earliest becomes the latest, and one loses its expiry.
  put(keyspace, name(0), "value", later(9000));
  put(keyspace, name(1), "value");
  for (int gone = 2; gone < 60; ++gone) {
    evict(keyspace, 1, kNow);
    for (int number = 0; number < 100; ++number) {
      const std::string key = name(number);
      const bool left = keyspace.peek(Db{0}, Key::of(key), kNow) != nullptr;
      REQUIRE(left == (number < 2 || number > gone));
    }
  }
}

TEST_CASE("an allkeys policy reaches every key") {
  Keyspace keyspace({1, true});
  keyspace.set_eviction({.policy = EvictionPolicy::AllKeysLru});
  // Old keys among many that are used all the time: every one of the old goes in the end.
  constexpr int kOld = 1000;
  for (int number = 0; number < 5 * kOld; ++number) put(keyspace, number_key(number), "value");
  for (int number = kOld; number < 5 * kOld; ++number) touch(keyspace, number, later(60'000));
  evict(keyspace, 3 * kOld, later(120'000));
  CHECK(count_there(keyspace, 0, kOld) < kOld / 20);
}

TEST_CASE("room is made a bounded number of keys at a time") {
  Keyspace keyspace({1, true});
  keyspace.set_eviction({.policy = EvictionPolicy::AllKeysRandom});
  for (int number = 0; number < 1000; ++number) put(keyspace, number_key(number), "value");
  const std::int64_t limit = used_memory() / 2;
  CHECK(keyspace.make_room(limit, kNow, 10) == Keyspace::Room::NotYet);
  CHECK(keyspace.keys(Db{0}) == 990);
  CHECK(keyspace.make_room(limit, kNow, 0) == Keyspace::Room::NotYet);
  CHECK(keyspace.keys(Db{0}) == 990);
  CHECK(keyspace.make_room(0, kNow, SIZE_MAX) == Keyspace::Room::None);
  CHECK(keyspace.keys(Db{0}) == 0);
}

TEST_CASE("keys that return after they were evicted resume, keys that do not are forgotten") {
  Keyspace keyspace({1, true});
  keyspace.set_eviction({.policy = EvictionPolicy::AllKeysLru});
  constexpr int kKeys = 4000;
  for (int number = 0; number < kKeys; ++number) put(keyspace, number_key(number), "value");
  // A loop over twice as many keys as fit: whoever keeps the latest hits nothing; some of a loop can stay.
  int hits = 0;
  for (int step = 0; step < 20 * kKeys; ++step) {
    const int number = step % (2 * kKeys);
    if (there(keyspace, number)) {
      touch(keyspace, number, later(step));
      ++hits;
      continue;
    }
    put(keyspace, number_key(number), "value", {}, later(step));
    while (keyspace.keys(Db{0}) > kKeys) REQUIRE(keyspace.make_room(0, later(step), 1) != Keyspace::Room::None);
  }
  CHECK(hits > kKeys);
}

TEST_CASE("a scan does not push out what is used again and again") {
  Keyspace keyspace({1, true});
  keyspace.set_eviction({.policy = EvictionPolicy::AllKeysLru});
  constexpr int kHot = 500;
  constexpr int kKeys = 2000;
  for (int number = 0; number < kKeys; ++number) put(keyspace, number_key(number), "value");
  int misses = 0;
  for (int step = 0; step < 50'000; ++step) {
    const int hot = step % kHot;
    if (step % 5 == 0) {  // every fifth access is of a key from the small set
      if (there(keyspace, hot)) {
        touch(keyspace, hot, later(step));
      } else {
        ++misses;
        put(keyspace, number_key(hot), "value", {}, later(step));
      }
    }
    put(keyspace, number_key(10'000 + step), "value", {}, later(step));
    while (keyspace.keys(Db{0}) > kKeys) REQUIRE(keyspace.make_room(0, later(step), 1) != Keyspace::Room::None);
  }
  // LRU would keep none: 2,500 other keys come between two uses of one.
  CHECK(misses < 1500);
}

TEST_CASE("what was chosen under another policy goes only if it may go under the new one") {
  Keyspace keyspace({1, true});
  keyspace.set_eviction({.policy = EvictionPolicy::AllKeysLru});
  constexpr int kKeys = 1000;
  for (int number = 0; number < kKeys; ++number) {
    put(keyspace, number_key(number), "value", number % 2 == 0 ? std::optional(later(1'000'000)) : std::nullopt);
  }
  evict(keyspace, 10, kNow);
  const std::uint64_t persistent = keyspace.keys(Db{0}) - keyspace.size(Db{0}, kNow).volatile_keys;
  keyspace.set_eviction({.policy = EvictionPolicy::VolatileLru});
  CHECK_FALSE(has_room(keyspace, 0, kNow));
  CHECK(keyspace.keys(Db{0}) == persistent);
}

TEST_CASE("stripes with more keys lose more, in whatever database they are") {
  Keyspace keyspace({2, true});
  keyspace.set_eviction({.policy = EvictionPolicy::AllKeysLru});
  constexpr int kKeys = 20'000;
  const auto put_in_second = [&](const std::string& key) {
    keyspace.apply(Put{Db{1}, Key::of(key), StringValue::plain("value"), {}}, kNow);
  };
  std::uint64_t tagged = 0;
  for (int number = 0; number < kKeys; ++number) {
    put_in_second("{t}" + std::to_string(number));  // all in one stripe
    put_in_second(number_key(number));
  }
  while (keyspace.keys(Db{1}) > kKeys) REQUIRE(has_room(keyspace, used_memory() - 1, kNow));
  for (int number = 0; number < kKeys; ++number) {
    const std::string key = "{t}" + std::to_string(number);
    tagged += keyspace.peek(Db{1}, Key::of(key), kNow) != nullptr ? 1 : 0;
  }
  CHECK(tagged > kKeys / 4);
  CHECK(tagged < kKeys * 3 / 4);
}
