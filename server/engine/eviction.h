#pragma once

#include <atomic>
#include <cstdint>

#include "server/engine/heat.h"

namespace magpie::engine {

enum class EvictionPolicy : std::uint8_t {
  NoEviction,
  AllKeysLru,
  AllKeysLfu,
  AllKeysRandom,
  VolatileLru,
  VolatileLfu,
  VolatileRandom,
  VolatileTtl
};

constexpr bool uses_frequency(EvictionPolicy policy) {
  return policy == EvictionPolicy::AllKeysLfu || policy == EvictionPolicy::VolatileLfu;
}
constexpr bool goes_by_recency(EvictionPolicy policy) {
  return policy == EvictionPolicy::AllKeysLru || policy == EvictionPolicy::VolatileLru;
}
constexpr bool only_volatile(EvictionPolicy policy) { return policy >= EvictionPolicy::VolatileLru; }

/// What the policies need to know; from the configuration.
struct EvictionSettings {
  EvictionPolicy policy = EvictionPolicy::NoEviction;
  unsigned samples = 5;            // maxmemory-samples; a keyspace takes 255 at most
  unsigned lfu_log_factor = 10;    // lfu-log-factor; 65,535 at most
  unsigned lfu_decay_minutes = 1;  // lfu-decay-time
};

/// The settings in force; any thread.
class SharedEvictionSettings {
 public:
  SharedEvictionSettings() { store({}); }
  void store(const EvictionSettings& settings) { packed_.store(pack(settings)); }
  EvictionSettings load() const;
  EvictionPolicy policy() const { return static_cast<EvictionPolicy>(packed_.load(std::memory_order_relaxed) & 0xff); }

 private:
  static std::uint64_t pack(const EvictionSettings& settings);
  std::atomic<std::uint64_t> packed_;  // in one word, so that they are read without a lock
};

/// Heat under the frequency policies: a logarithmic counter (Morris, CACM 1978, with Redis's parameters), which OBJECT
/// FREQ shows. It goes down by one each lfu-decay-time, of all keys alike.
inline constexpr Heat kFirstFrequency{5};  // as in Redis: a new key is not the first to go
Heat next_frequency(const EvictionSettings& settings, Heat heat, std::uint64_t random);
/// What becomes of the counters when that time has passed `times` times.
HeatMap decay_map(std::uint64_t times);

}  // namespace magpie::engine
