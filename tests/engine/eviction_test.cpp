#include "server/engine/eviction.h"

#include <doctest/doctest.h>

#include "tests/engine/random.h"

using magpie::engine::decay_map;
using magpie::engine::EvictionPolicy;
using magpie::engine::EvictionSettings;
using magpie::engine::Heat;
using magpie::engine::kFirstFrequency;
using magpie::engine::next_frequency;

namespace {

/// The counter after `hits` accesses.
unsigned counter_after(const EvictionSettings& settings, int hits, std::uint64_t seed) {
  magpie::testing::Random random(seed);
  Heat heat = kFirstFrequency;
  for (int hit = 0; hit < hits; ++hit) heat = next_frequency(settings, heat, random.next());
  return index_of(heat);
}

}  // namespace

TEST_CASE("frequencies decay by as many as are due and stop at 0") {
  const magpie::engine::HeatMap twice = decay_map(2);
  CHECK(index_of(twice[5]) == 3);
  CHECK(index_of(twice[255]) == 253);
  CHECK(index_of(twice[1]) == 0);
  CHECK(index_of(decay_map(1'000'000)[255]) == 0);
  CHECK(index_of(decay_map(0)[7]) == 7);
}

TEST_CASE("the counter grows with the logarithm of the accesses, as Redis documents for its factors") {
  // Redis's table of lfu-log-factor: hits 100, 1000, 100000 give about 10, 18, 142 at factor 10. A new key counts 5.
  EvictionSettings settings{.policy = EvictionPolicy::AllKeysLfu};
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

TEST_CASE("policies know what they need") {
  using enum EvictionPolicy;
  for (const EvictionPolicy policy :
       {NoEviction, AllKeysLru, AllKeysLfu, AllKeysRandom, VolatileLru, VolatileLfu, VolatileRandom, VolatileTtl}) {
    CHECK(uses_frequency(policy) == (policy == AllKeysLfu || policy == VolatileLfu));
    CHECK(only_volatile(policy) ==
          (policy == VolatileLru || policy == VolatileLfu || policy == VolatileRandom || policy == VolatileTtl));
  }
}
