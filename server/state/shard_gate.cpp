#include "server/state/shard_gate.h"

#include <ctime>

namespace magpie::server {

cluster::BootTime boot_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return cluster::BootTime(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace magpie::server
