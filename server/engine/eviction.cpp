#include "server/engine/eviction.h"

#include <algorithm>

namespace magpie::engine {
namespace {

constexpr unsigned kMostSamples = 0xff;
constexpr unsigned kMostLogFactor = 0xffff;

}  // namespace

/// What does not fit becomes the most that does.
std::uint64_t SharedEvictionSettings::pack(const EvictionSettings& settings) {
  return static_cast<std::uint64_t>(settings.policy) | std::uint64_t{std::min(settings.samples, kMostSamples)} << 8 |
         std::uint64_t{std::min(settings.lfu_log_factor, kMostLogFactor)} << 16 |
         std::uint64_t{settings.lfu_decay_minutes} << 32;
}

EvictionSettings SharedEvictionSettings::load() const {
  const std::uint64_t packed = packed_.load(std::memory_order_relaxed);
  return {static_cast<EvictionPolicy>(packed & 0xff), static_cast<unsigned>(packed >> 8 & kMostSamples),
          static_cast<unsigned>(packed >> 16 & kMostLogFactor), static_cast<unsigned>(packed >> 32)};
}

Heat next_frequency(const EvictionSettings& settings, Heat heat, std::uint64_t random) {
  const unsigned counter = index_of(heat);
  const unsigned base = counter - std::min(counter, index_of(kFirstFrequency));
  // Goes up with probability 1 / (base * factor + 1).
  const bool up = counter < kHeats - 1 && random % (std::uint64_t{base} * settings.lfu_log_factor + 1) == 0;
  return Heat{static_cast<std::uint8_t>(counter + (up ? 1 : 0))};
}

HeatMap decay_map(std::uint64_t times) {
  HeatMap map;
  for (unsigned counter = 0; counter < kHeats; ++counter) {
    map[counter] = Heat{static_cast<std::uint8_t>(counter - std::min<std::uint64_t>(counter, times))};
  }
  return map;
}

}  // namespace magpie::engine
