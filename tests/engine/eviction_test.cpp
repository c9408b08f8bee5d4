#include "server/engine/eviction.h"

#include <doctest/doctest.h>

#include "tests/engine/random.h"

using magpie::Instant;
using magpie::engine::eviction_rank;
using magpie::engine::EvictionPolicy;
using magpie::engine::EvictionSettings;
using magpie::engine::first_access;
using magpie::engine::frequency;
using magpie::engine::idle_ms;
using magpie::engine::next_access;

namespace {

constexpr std::int64_t kMinute = 60'000;
constexpr Instant kNow{1'700'000'000'000};
constexpr Instant after(std::int64_t ms) { return Instant{kNow.ms + ms}; }

EvictionSettings recency() { return {.policy = EvictionPolicy::AllKeysLru}; }
EvictionSettings by_frequency() { return {.policy = EvictionPolicy::AllKeysLfu}; }

/// The counter after `hits` accesses at one instant.
unsigned counter_after(const EvictionSettings& settings, int hits, std::uint64_t seed) {
  magpie::testing::Random random(seed);
  std::uint32_t access = first_access(settings, kNow);
  for (int hit = 0; hit < hits; ++hit) access = next_access(settings, access, kNow, random.next());
  return frequency(settings, access, kNow);
}

}  // namespace

TEST_CASE("idle time is the time since the last access, in steps of 16 ms") {
  const std::uint32_t access = first_access(recency(), kNow);
  CHECK(idle_ms(access, kNow) == 0);
  CHECK(idle_ms(access, after(15'999)) >= 15'984);
  CHECK(idle_ms(access, after(15'999)) <= 15'999 + 16);
  const std::uint32_t again = next_access(recency(), access, after(10'000), 0);
  CHECK(idle_ms(again, after(10'000)) == 0);
  constexpr std::int64_t kYear = std::int64_t{365} * 24 * 60 * kMinute;
  CHECK(idle_ms(access, after(kYear)) >= kYear - 16);
}

TEST_CASE("an access that another loop's clock puts in the future is a recent one") {
  const std::uint32_t access = first_access(recency(), after(50));
  CHECK(idle_ms(access, kNow) == 0);
  CHECK(eviction_rank(recency(), access, kNow) == 0);
  // A clock that was set back by an hour.
  CHECK(idle_ms(first_access(recency(), after(60 * kMinute)), kNow) == 0);
  const std::uint32_t frequent = first_access(by_frequency(), after(kMinute));
  CHECK(frequency(by_frequency(), frequent, kNow) == 5);
}

TEST_CASE("the longer idle, the higher the rank") {
  const std::uint32_t older = first_access(recency(), kNow);
  const std::uint32_t newer = first_access(recency(), after(100));
  CHECK(eviction_rank(recency(), older, after(1000)) > eviction_rank(recency(), newer, after(1000)));
}

TEST_CASE("a new key starts with frequency 5, decays by one a minute and stops at 0") {
  const EvictionSettings settings = by_frequency();
  const std::uint32_t access = first_access(settings, kNow);
  CHECK(frequency(settings, access, kNow) == 5);
  CHECK(frequency(settings, access, after(kMinute)) == 4);
  CHECK(frequency(settings, access, after(3 * kMinute)) == 2);
  CHECK(frequency(settings, access, after(5 * kMinute)) == 0);
  CHECK(frequency(settings, access, after(500 * kMinute)) == 0);
}

TEST_CASE("the decay time scales the decay, 0 switches it off") {
  EvictionSettings settings = by_frequency();
  settings.lfu_decay_minutes = 10;
  const std::uint32_t access = first_access(settings, kNow);
  CHECK(frequency(settings, access, after(9 * kMinute)) == 5);
  CHECK(frequency(settings, access, after(31 * kMinute)) == 2);
  settings.lfu_decay_minutes = 0;
  CHECK(frequency(settings, access, after(10'000 * kMinute)) == 5);
}

TEST_CASE("minutes wrap without harm") {
  const EvictionSettings settings = by_frequency();
  const Instant last{((std::int64_t{1} << 24) - 1) * kMinute};
  const std::uint32_t access = first_access(settings, last);
  CHECK(frequency(settings, access, Instant{last.ms + 2 * kMinute}) == 3);
}

TEST_CASE("an access decays first, then counts") {
  const EvictionSettings settings = by_frequency();
  const std::uint32_t access = first_access(settings, kNow);
  const std::uint32_t later = next_access(settings, access, after(3 * kMinute), 0);
  CHECK(frequency(settings, later, after(3 * kMinute)) == 3);
  CHECK(frequency(settings, later, after(4 * kMinute)) == 2);
}

TEST_CASE("the counter grows with the logarithm of the accesses, as Redis documents for its factors") {
  // Redis's table of lfu-log-factor: hits 100, 1000, 100000 give about 10, 18, 142 at factor 10. A new key counts 5.
  EvictionSettings settings = by_frequency();
  unsigned hundred = 0;
  unsigned thousand = 0;
  unsigned many = 0;
  constexpr unsigned kRounds = 20;
  for (unsigned round = 0; round < kRounds; ++round) {
    hundred += counter_after(settings, 100, round);
    thousand += counter_after(settings, 1000, round);
    many += counter_after(settings, 100'000, round);
  }
  CHECK(hundred / kRounds >= 7);
  CHECK(hundred / kRounds <= 12);
  CHECK(thousand / kRounds >= 14);
  CHECK(thousand / kRounds <= 22);
  CHECK(many / kRounds >= 120);
  CHECK(many / kRounds <= 165);
  settings.lfu_log_factor = 0;
  CHECK(counter_after(settings, 100, 1) == 105);
  CHECK(counter_after(settings, 1000, 1) == 255);
}

TEST_CASE("the less frequent, the higher the rank") {
  const EvictionSettings settings = by_frequency();
  const std::uint32_t cold = first_access(settings, kNow);
  const std::uint32_t warm = next_access(settings, cold, kNow, 0);
  CHECK(eviction_rank(settings, cold, kNow) > eviction_rank(settings, warm, kNow));
  CHECK(eviction_rank(settings, warm, after(5 * kMinute)) > eviction_rank(settings, warm, kNow));
}

TEST_CASE("policies know what they need") {
  using enum EvictionPolicy;
  for (const EvictionPolicy policy :
       {NoEviction, AllKeysLru, AllKeysLfu, AllKeysRandom, VolatileLru, VolatileLfu, VolatileRandom, VolatileTtl}) {
    CHECK(uses_frequency(policy) == (policy == AllKeysLfu || policy == VolatileLfu));
    CHECK(only_volatile(policy) ==
          (policy == VolatileLru || policy == VolatileLfu || policy == VolatileRandom || policy == VolatileTtl));
  }
}
