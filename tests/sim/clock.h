#pragma once

#include <cstdint>

#include "cluster/replication/boot_time.h"
#include "tests/sim/random.h"
#include "tests/sim/schedule.h"

namespace magpie::sim {

/// The clocks of one machine: begun at some time of their own, and running at a rate of their own.
class DriftingClock {
 public:
  DriftingClock() = default;
  /// Wrong by up to so many parts in a hundred.
  DriftingClock(Random& random, int most_drift)
      : begun_(random.between(seconds(10), seconds(100'000))),
        parts_(1'000'000 + random.between(-10'000 * most_drift, 10'000 * most_drift)),
        wall_skew_ms_(random.between(-2'000, 2'000)) {}

  cluster::BootTime boot(TrueTime now) const {
    return cluster::BootTime(begun_ + nanoseconds(now.time_since_epoch().count() / 1'000 * parts_ / 1'000));
  }
  cluster::Moment moment(TrueTime now) const {
    constexpr std::int64_t kBegin = 1'800'000'000'000;
    return {boot(now), kBegin + wall_skew_ms_ + now.time_since_epoch().count() / 1'000'000};
  }
  /// When this clock shows that time, or a little later.
  TrueTime when(cluster::BootTime shown) const {
    if (shown == cluster::kNever) return TrueTime::max();
    const std::int64_t passed = (shown.time_since_epoch() - begun_).count();
    return TrueTime(nanoseconds((passed / parts_ * 1'000 + passed % parts_ * 1'000 / parts_ + 1) * 1'000));
  }

 private:
  nanoseconds begun_{0};
  std::int64_t parts_ = 1'000'000;  // of its seconds, in a million true ones
  std::int64_t wall_skew_ms_ = 0;
};

}  // namespace magpie::sim
