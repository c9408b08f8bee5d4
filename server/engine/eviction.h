#pragma once

#include <cstdint>

#include "server/engine/entry.h"
#include "server/engine/instant.h"

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
constexpr bool only_volatile(EvictionPolicy policy) { return policy >= EvictionPolicy::VolatileLru; }

/// What the policies need to know; from the configuration.
struct EvictionSettings {
  EvictionPolicy policy = EvictionPolicy::NoEviction;
  unsigned samples = 5;            // maxmemory-samples; a keyspace takes 255 at most
  unsigned lfu_log_factor = 10;    // lfu-log-factor; 65,535 at most
  unsigned lfu_decay_minutes = 1;  // lfu-decay-time
};

/// The access word of an entry. Under the frequency policies: minutes in the upper 24 bits, a logarithmic counter below
/// (Morris, CACM 1978, with Redis's parameters); else time in units of 16 ms, which wraps after two years.
std::uint32_t first_access(const EvictionSettings& settings, Instant now);
std::uint32_t next_access(const EvictionSettings& settings, std::uint32_t access, Instant now, std::uint64_t random);
/// Milliseconds since the last access (not under the frequency policies).
std::int64_t idle_ms(std::uint32_t access, Instant now);
/// The counter of OBJECT FREQ, decay applied (frequency policies only).
unsigned frequency(const EvictionSettings& settings, std::uint32_t access, Instant now);
/// The higher, the sooner the entry should go.
std::uint64_t eviction_rank(const EvictionSettings& settings, std::uint32_t access, Instant now);

}  // namespace magpie::engine
