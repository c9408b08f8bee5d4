#pragma once

#include <chrono>
#include <cstdint>

namespace magpie::cluster {

struct BootClock {};
/// What CLOCK_BOOTTIME of this node says, in nanoseconds. Passed in, read afresh for each event (R8); the times of two
/// nodes have nothing to do with each other.
using BootTime = std::chrono::time_point<BootClock, std::chrono::nanoseconds>;

inline constexpr BootTime kNever = BootTime::max();
inline constexpr BootTime kLongAgo = BootTime::min();

/// A reading of both clocks of a node: the one that leases live by, and the wall clock (milliseconds since the Unix
/// epoch) that expiry times are in.
struct Moment {
  BootTime boot;
  std::int64_t wall_ms = 0;
};

}  // namespace magpie::cluster
