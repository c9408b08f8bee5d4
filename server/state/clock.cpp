#include "server/state/clock.h"

#include <ctime>

namespace magpie::server {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

std::int64_t read_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * kSecondNs + now.tv_nsec;
}

struct Origin {
  std::int64_t ns = read_ns(CLOCK_MONOTONIC);
  std::uint64_t ticks = server::ticks();
};
const Origin kOrigin;

}  // namespace

std::int64_t wall_clock_us() { return read_ns(CLOCK_REALTIME) / 1000; }

std::uint64_t thread_cpu_ns() { return static_cast<std::uint64_t>(read_ns(CLOCK_THREAD_CPUTIME_ID)); }

#if !defined(__x86_64__)
std::uint64_t ticks() { return static_cast<std::uint64_t>(read_ns(CLOCK_MONOTONIC)); }
#endif

std::uint64_t ticks_to_ns(std::uint64_t difference) {
  const std::uint64_t now = ticks();
  return ns_between(now - difference, now);
}

constinit thread_local TickRate tick_rate;

void TickRate::measure(std::uint64_t now) {
  constexpr std::uint64_t kRefreshTicks = 2'000'000'000;
  due = now + kRefreshTicks;
  const std::uint64_t elapsed = now - kOrigin.ticks;
  ns_per_tick =
      elapsed == 0 ? 1.0 : static_cast<double>(read_ns(CLOCK_MONOTONIC) - kOrigin.ns) / static_cast<double>(elapsed);
}

}  // namespace magpie::server
