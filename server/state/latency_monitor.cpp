#include "server/state/latency_monitor.h"

#include <algorithm>

namespace magpie::server {

void LatencyMonitor::add(ByteView event, std::int64_t ms, std::int64_t time_seconds) {
  constexpr std::size_t kMostSamples = 160;
  const std::lock_guard guard(lock_);
  auto found = events_.find(event);
  if (found == events_.end()) found = events_.emplace(event, Event{std::string(event), {}, 0}).first;
  Event& entry = found->second;
  entry.max_ms = std::max(entry.max_ms, ms);
  if (!entry.samples.empty() && entry.samples.back().time_seconds == time_seconds) {
    entry.samples.back().ms = std::max(entry.samples.back().ms, ms);
    return;
  }
  entry.samples.push_back({time_seconds, ms});
  if (entry.samples.size() > kMostSamples) entry.samples.pop_front();
}

void LatencyMonitor::add_if_long(ByteView event, std::uint64_t ns, std::int64_t threshold_ms, Instant now) {
  constexpr std::uint64_t kMsNs = 1'000'000;
  constexpr std::int64_t kSecondMs = 1000;
  const auto ms = static_cast<std::int64_t>(ns / kMsNs);
  if (threshold_ms > 0 && ms >= threshold_ms) add(event, ms, now.ms / kSecondMs);
}

std::vector<LatencyMonitor::Event> LatencyMonitor::all() const {
  const std::lock_guard guard(lock_);
  std::vector<Event> result;
  result.reserve(events_.size());
  for (const auto& [name, event] : events_) result.push_back(event);
  return result;
}

std::size_t LatencyMonitor::reset(const std::vector<std::string>& events) {
  const std::lock_guard guard(lock_);
  if (events.empty()) {
    const std::size_t count = events_.size();
    events_.clear();
    return count;
  }
  std::size_t count = 0;
  for (const std::string& event : events) count += events_.erase(event);
  return count;
}

}  // namespace magpie::server
