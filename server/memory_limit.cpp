#include "server/memory_limit.h"

#include <algorithm>

#include "server/engine/memory.h"

namespace magpie::server {

using Room = engine::Keyspace::Room;

std::size_t evictions_for(std::int64_t over, std::int64_t maxmemory, std::size_t brought) {
  constexpr std::size_t kFewKeys = 16;
  constexpr std::int64_t kToleratedShare = 32;  // of maxmemory
  constexpr std::size_t kBytesPerKey = 16;  // that an eviction frees at least, about
  const std::int64_t beyond = std::max<std::int64_t>(over - maxmemory / kToleratedShare, 0);
  return kFewKeys + std::min(static_cast<std::size_t>(beyond), brought) / kBytesPerKey;
}

std::int64_t headroom(std::int64_t maxmemory) {
  constexpr std::int64_t kShare = 2048;
  constexpr std::int64_t kMost = std::int64_t{256} << 10;
  return std::min(maxmemory / kShare, kMost);
}

Room make_room(ServerState& server, const config::Settings& settings, Instant now, std::size_t queued,
               std::size_t most) {
  if (settings.maxmemory == 0) return Room::Enough;
  const std::int64_t limit = settings.maxmemory - static_cast<std::int64_t>(queued);
  if (engine::used_memory() <= limit) return Room::Enough;
  if (limit <= 0) return Room::None;
  const std::uint64_t start = ticks();
  const Room room = server.keyspace.make_room(limit, now, most);
  server.latency.add_if_long("eviction-cycle", ns_between(start, ticks()), settings.latency_monitor_threshold, now);
  return room;
}

}  // namespace magpie::server
