#pragma once

#include <cstdint>

#include "server/engine/instant.h"

namespace magpie::server {

/// Wall-clock time in microseconds since the epoch. Any thread.
std::int64_t wall_clock_us();
inline Instant wall_clock() { return Instant{wall_clock_us() / 1000}; }

/// Processor time of the calling thread in nanoseconds; a system call, about 0.3 us.
std::uint64_t thread_cpu_ns();

/// The processor's time stamp counter: about 10 ns to read, the same rate on all cores. Any thread.
#if defined(__x86_64__)
inline std::uint64_t ticks() { return __builtin_ia32_rdtsc(); }
#else
std::uint64_t ticks();
#endif

/// A difference of ticks in nanoseconds. The rate is measured against the monotonic clock since process start.
std::uint64_t ticks_to_ns(std::uint64_t ticks);

/// What a tick of this thread lasts, measured anew about once a second: the longer the baseline, the better the rate.
struct TickRate {
  double ns_per_tick = 0;
  std::uint64_t due = 0;  // in ticks: when to measure again
  void measure(std::uint64_t now);
};
extern constinit thread_local TickRate tick_rate;

/// From an earlier reading of ticks() to the given one, which is now.
inline std::uint64_t ns_between(std::uint64_t start, std::uint64_t now) {
  if (now >= tick_rate.due) [[unlikely]]
    tick_rate.measure(now);
  const auto passed = static_cast<double>(static_cast<std::int64_t>(now - start));  // signed: that converts faster
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(passed * tick_rate.ns_per_tick));
}

}  // namespace magpie::server
