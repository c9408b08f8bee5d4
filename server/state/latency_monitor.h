#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "protocol/bytes.h"
#include "server/engine/instant.h"

namespace magpie::server {

/// Events that took longer than latency-monitor-threshold (LATENCY LATEST, HISTORY, RESET). Any thread.
class LatencyMonitor {
 public:
  struct Sample {
    std::int64_t time_seconds;
    std::int64_t ms;
  };
  struct Event {
    std::string name;
    std::deque<Sample> samples;  // oldest first, 160 at most, one a second
    std::int64_t max_ms = 0;
  };

  void add(ByteView event, std::int64_t ms, std::int64_t time_seconds);
  /// The same if it took `threshold_ms` or longer; 0: the monitor is off.
  void add_if_long(ByteView event, std::uint64_t ns, std::int64_t threshold_ms, Instant now);
  std::vector<Event> all() const;
  /// Forgets these events, all if none are named; returns how many there were.
  std::size_t reset(const std::vector<std::string>& events);

 private:
  mutable std::mutex lock_;
  std::map<std::string, Event, std::less<>> events_;
};

}  // namespace magpie::server
