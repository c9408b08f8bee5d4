#include "server/engine/eviction.h"

#include <algorithm>

namespace magpie::engine {
namespace {

constexpr unsigned kAccessUnitMs = 16;
constexpr unsigned kNewKeyFrequency = 5;  // as Redis: a new key is not the first to go
constexpr unsigned kMaxFrequency = 255;
constexpr std::uint32_t kMinutesMask = 0xffffff;
constexpr std::int64_t kMinuteMs = 60'000;
// Accesses up to this far in the future are recent: loops read the clock at different times, and it may be set back.
constexpr std::uint32_t kMostAheadMinutes = 1440;
constexpr std::uint32_t kMostAheadUnits = kMostAheadMinutes * (kMinuteMs / kAccessUnitMs);

std::uint32_t minutes(Instant now) { return static_cast<std::uint32_t>(now.ms / kMinuteMs) & kMinutesMask; }
std::uint32_t coarse_time(Instant now) { return static_cast<std::uint32_t>(now.ms / kAccessUnitMs); }

std::uint32_t minutes_since(std::uint32_t access, Instant now) {
  const std::uint32_t elapsed = (minutes(now) - (access >> 8)) & kMinutesMask;
  return elapsed > kMinutesMask - kMostAheadMinutes ? 0 : elapsed;
}

std::uint32_t units_since(std::uint32_t access, Instant now) {
  const std::uint32_t elapsed = coarse_time(now) - access;
  return elapsed > ~kMostAheadUnits ? 0 : elapsed;
}

}  // namespace

std::uint32_t first_access(const EvictionSettings& settings, Instant now) {
  return uses_frequency(settings.policy) ? (minutes(now) << 8) | kNewKeyFrequency : coarse_time(now);
}

unsigned frequency(const EvictionSettings& settings, std::uint32_t access, Instant now) {
  const unsigned counter = access & kMaxFrequency;
  if (settings.lfu_decay_minutes == 0) return counter;
  return counter - std::min(counter, minutes_since(access, now) / settings.lfu_decay_minutes);
}

std::uint32_t next_access(const EvictionSettings& settings, std::uint32_t access, Instant now, std::uint64_t random) {
  if (!uses_frequency(settings.policy)) return coarse_time(now);
  unsigned counter = frequency(settings, access, now);
  const unsigned base = counter > kNewKeyFrequency ? counter - kNewKeyFrequency : 0;
  // Goes up with probability 1 / (base * factor + 1).
  if (counter < kMaxFrequency && random % (std::uint64_t{base} * settings.lfu_log_factor + 1) == 0) ++counter;
  return (minutes(now) << 8) | counter;
}

std::int64_t idle_ms(std::uint32_t access, Instant now) {
  return static_cast<std::int64_t>(units_since(access, now)) * kAccessUnitMs;
}

std::uint64_t eviction_rank(const EvictionSettings& settings, std::uint32_t access, Instant now) {
  if (uses_frequency(settings.policy)) return kMaxFrequency - frequency(settings, access, now);
  return units_since(access, now);
}

}  // namespace magpie::engine
