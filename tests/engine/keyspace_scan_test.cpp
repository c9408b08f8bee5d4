#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <set>
#include <string>

#include "server/engine/keyspace.h"
#include "tests/engine/keyspace_fixture.h"
#include "tests/engine/random.h"

using magpie::Db;
using magpie::Instant;
using magpie::engine::Entry;
using magpie::engine::Erase;
using magpie::engine::Flush;
using magpie::engine::kAllStripes;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::testing::kNow;
using magpie::testing::number_key;
using magpie::testing::put;
using magpie::testing::Random;

namespace {

void fill(Keyspace& keyspace, int from, int to) {
  for (int number = from; number < to; ++number) put(keyspace, number_key(number), "v");
}
void erase(Keyspace& keyspace, int number) {
  const std::string name = number_key(number);
  const Key key = Key::of(name);
  const Keyspace::Guard guard = keyspace.lock(mask_of(key.stripe));
  keyspace.apply(Erase{Db{0}, key}, kNow);
}

struct Scanned {
  std::multiset<std::string> keys;
  std::size_t calls = 0;
  std::size_t most = 0;  // in one call
};

template <class Change>
Scanned scan_all(Keyspace& keyspace, std::size_t count, bool held, Change&& change) {
  Scanned scanned;
  std::uint64_t cursor = 0;
  do {
    std::size_t seen = 0;
    cursor = keyspace.scan(Db{0}, cursor, count, held, [&](Entry& entry) {
      scanned.keys.emplace(entry.key());
      ++seen;
    });
    scanned.most = std::max(scanned.most, seen);
    ++scanned.calls;
    REQUIRE(scanned.calls < 1'000'000);
    change();
  } while (cursor != 0);
  return scanned;
}

}  // namespace

TEST_CASE("a scan of few keys ends after few calls, each key seen once") {
  for (const int keys : {0, 1, 2, 5, 9, 10, 11, 63, 64, 65, 100, 1000}) {
    Keyspace keyspace({2, true});
    fill(keyspace, 0, keys);
    for (const std::size_t count : {std::size_t{1}, std::size_t{10}, std::size_t{100}}) {
      CAPTURE(keys);
      CAPTURE(count);
      const Scanned scanned = scan_all(keyspace, count, false, [] {});
      CHECK(scanned.keys.size() == static_cast<std::size_t>(keys));
      CHECK(std::set<std::string>(scanned.keys.begin(), scanned.keys.end()).size() == static_cast<std::size_t>(keys));
      CHECK(scanned.calls <= static_cast<std::size_t>(keys) / count + 2 + (count == 1 ? 1000 / 3 : 0));
    }
  }
}

TEST_CASE("a call returns about as many keys as asked for") {
  Keyspace keyspace({1, true});
  fill(keyspace, 0, 20'000);
  for (const std::size_t count : {std::size_t{1}, std::size_t{10}, std::size_t{1000}}) {
    const Scanned scanned = scan_all(keyspace, count, false, [] {});
    CHECK(scanned.keys.size() == 20'000);
    CHECK(scanned.most <= count + 30);
    CHECK(scanned.calls <= 20'000 / count + 2);
  }
}

TEST_CASE("extreme counts and cursors are harmless") {
  Keyspace keyspace({1, true});
  fill(keyspace, 0, 1000);
  // Among them counts whose tenfold is close to 0 modulo 2^64.
  for (const std::size_t count : {std::size_t{1844674407370955162}, std::size_t{1} << 63, std::size_t{1} << 62,
                                  std::numeric_limits<std::size_t>::max()}) {
    const Scanned scanned = scan_all(keyspace, count, false, [] {});
    CHECK(scanned.calls == 1);
    CHECK(scanned.keys.size() == 1000);
  }
  CHECK(scan_all(keyspace, 0, false, [] {}).keys.size() == 1000);
  Random random(1);
  for (int round = 0; round < 1000; ++round) {
    std::uint64_t cursor = random.next();
    std::size_t calls = 0;
    do {
      cursor = keyspace.scan(Db{0}, cursor, 100, false, [](Entry&) {});
      REQUIRE(++calls < 100);
    } while (cursor != 0);
  }
  CHECK(keyspace.scan(Db{0}, ~std::uint64_t{0}, 10, false, [](Entry&) {}) == 0);
}

TEST_CASE("with all stripes held, a scan takes no lock") {
  Keyspace keyspace({1, true});
  fill(keyspace, 0, 300);
  const Keyspace::Guard guard = keyspace.lock(kAllStripes);
  CHECK(scan_all(keyspace, 10, true, [] {}).keys.size() == 300);
  CHECK(keyspace.random_key(Db{0}, kNow, true).has_value());
}

TEST_CASE("what stays is scanned while other keys come and go") {
  for (std::uint64_t seed = 0; seed < 15; ++seed) {
    Random random(seed);
    Keyspace keyspace({1, true});
    const int stable = 1 + static_cast<int>(random.below(3000));
    const int others = 1'000'000;
    fill(keyspace, 0, stable);
    int low = others;
    int high = others;
    bool growing = random.one_in(2);
    if (!growing) {
      high += 30'000;
      fill(keyspace, low, high);
    }
    const Scanned scanned = scan_all(keyspace, 1 + random.below(50), false, [&] {
      if (random.one_in(40)) growing = !growing;
      for (std::uint64_t n = random.below(100); n > 0; --n) {
        if (growing && high - low < 60'000) {
          put(keyspace, number_key(high++), "v");
        } else if (low < high) {
          erase(keyspace, low++);
        }
      }
    });
    for (int number = 0; number < stable; ++number) REQUIRE(scanned.keys.contains(number_key(number)));
  }
}

TEST_CASE("a scan ends when everything is flushed meanwhile") {
  Keyspace keyspace({1, true});
  fill(keyspace, 0, 5000);
  bool flushed = false;
  const Scanned scanned = scan_all(keyspace, 10, false, [&] {
    if (flushed) return;
    const Keyspace::Guard guard = keyspace.lock(kAllStripes);
    keyspace.apply(Flush{Db{0}}, kNow);
    flushed = true;
  });
  CHECK(scanned.calls <= 2);
}

TEST_CASE("every key is a random key now and then") {
  for (const int keys : {1, 2, 3, 10, 100, 500}) {
    Keyspace keyspace({2, true});
    fill(keyspace, 0, keys);
    std::map<std::string, int> seen;
    for (int draw = 0; draw < keys * 200; ++draw) {
      const auto key = keyspace.random_key(Db{0}, kNow, false);
      REQUIRE(key.has_value());
      ++seen[*key];
    }
    CAPTURE(keys);
    CHECK(seen.size() == static_cast<std::size_t>(keys));
    for (const auto& [key, times] : seen) {
      CHECK(times >= 50);
      CHECK(times <= 400);
    }
    CHECK_FALSE(keyspace.random_key(Db{1}, kNow, false).has_value());
  }
}

TEST_CASE("a random key is never an expired one") {
  Keyspace keyspace({1, true});
  for (int number = 0; number < 200; ++number) put(keyspace, number_key(number), "v", Instant{kNow.ms - 1});
  CHECK_FALSE(keyspace.random_key(Db{0}, kNow, false).has_value());
  for (int number = 200; number < 400; ++number) put(keyspace, number_key(number), "v", Instant{kNow.ms + 1});
  for (int draw = 0; draw < 1000; ++draw) {
    const auto key = keyspace.random_key(Db{0}, kNow, false);
    REQUIRE(key.has_value());
    REQUIRE(keyspace.peek(Db{0}, Key::of(*key), kNow) != nullptr);
  }
  CHECK(keyspace.keys(Db{0}) == 400);
}
