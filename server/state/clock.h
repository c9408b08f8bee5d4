#pragma once

#include <cstdint>

#include "server/engine/instant.h"

namespace magpie::server {

/// Wall-clock time in microseconds since the epoch. Any thread.
std::int64_t wall_clock_us();
inline Instant wall_clock() { return Instant{wall_clock_us() / 1000}; }

/// The processor's time stamp counter: about 10 ns to read, the same rate on all cores. Any thread.
std::uint64_t ticks();
/// A difference of ticks in nanoseconds. The rate is measured against the monotonic clock since process start.
std::uint64_t ticks_to_ns(std::uint64_t ticks);
/// From an earlier reading of ticks() to the given one, which is now.
std::uint64_t ns_between(std::uint64_t start, std::uint64_t now);

}  // namespace magpie::server
