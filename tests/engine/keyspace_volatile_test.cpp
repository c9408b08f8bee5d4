// Eviction by heat where few keys have a time to live and many have none, which stay.
#include <doctest/doctest.h>

#include <string>

#include "server/engine/keyspace.h"
#include "tests/engine/keyspace_fixture.h"

using magpie::Db;
using magpie::Instant;
using magpie::engine::EvictionPolicy;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::testing::kNow;
using magpie::testing::put;

namespace {

constexpr Instant kFar{kNow.ms + 1'000'000};

/// A look-aside cache of so many keys with a time to live, beside others, by volatile-lru.
class Cache {
 public:
  Cache(std::size_t capacity, int pinned) : capacity_(capacity) {
    for (int number = 0; number < pinned; ++number) put(keyspace_, "pinned:" + std::to_string(number), "value");
    use_policy(EvictionPolicy::VolatileLru);
  }

  void use_policy(EvictionPolicy policy) { keyspace_.set_eviction({.policy = policy}); }
  void evict_one() { REQUIRE(keyspace_.make_room(0, kNow, 1) != Keyspace::Room::None); }
  /// Whether the key was there; now it has been.
  bool access(const std::string& name) {
    if (keyspace_.use(Db{0}, Key::of(name), kNow) != nullptr) return true;
    put(keyspace_, name, "value", kFar);
    while (volatile_keys() > capacity_) evict_one();
    return false;
  }
  std::size_t volatile_keys() const { return keyspace_.size(Db{0}, kNow).volatile_keys; }
  std::size_t keys() const { return keyspace_.keys(Db{0}); }

 private:
  Keyspace keyspace_{{1, true}};
  std::size_t capacity_;
};

constexpr std::size_t kCapacity = 1000;
constexpr int kReturning = 500;
constexpr int kPassing = 400;  // with those that return fewer than there is room for: LRU would lose none

/// Each round uses keys that were used in the last round, then others that are new. Returns how many of the first were
/// not there any more.
int lost_in(Cache& cache, int rounds, int first_round) {
  int lost = 0;
  for (int round = first_round; round < first_round + rounds; ++round) {
    for (int number = 0; number < kReturning; ++number) {
      if (!cache.access("returning:" + std::to_string(number))) ++lost;
    }
    for (int number = 0; number < kPassing; ++number) {
      cache.access("passing:" + std::to_string(round * kPassing + number));
    }
  }
  return lost;
}

}  // namespace

TEST_CASE("keys that return stay, however few may go beside how many that may not") {
  constexpr int kRounds = 20;
  for (const int pinned : {0, 1000, 20'000}) {
    CAPTURE(pinned);
    Cache cache(kCapacity, pinned);
    lost_in(cache, kRounds, 0);
    CHECK(lost_in(cache, kRounds, kRounds) <= kReturning * kRounds / 100);
    CHECK(cache.volatile_keys() == kCapacity);
    CHECK(cache.keys() == kCapacity + static_cast<std::size_t>(pinned));
  }
}

TEST_CASE("when fewer keys may go than under the policy before, epochs are as short as that at once") {
  constexpr int kRounds = 5;
  Cache cache(kCapacity, 40'000);
  cache.use_policy(EvictionPolicy::AllKeysLru);
  for (int number = 0; number < 10; ++number) cache.evict_one();
  cache.use_policy(EvictionPolicy::VolatileLru);
  lost_in(cache, kRounds, 0);
  const int lost = lost_in(cache, kRounds, kRounds);
  CHECK(lost <= kReturning * kRounds / 20);
}
