#include "server/memory_limit.h"

#include "server/engine/memory.h"

namespace magpie::server {

using Room = engine::Keyspace::Room;

Room make_room(ServerState& server, const config::Settings& settings, Instant now, std::size_t queued,
               std::size_t most) {
  if (settings.maxmemory == 0) return Room::Enough;
  const std::int64_t limit = settings.maxmemory - static_cast<std::int64_t>(queued);
  if (engine::used_memory() <= limit) return Room::Enough;
  return limit > 0 ? server.keyspace.make_room(limit, now, most) : Room::None;
}

}  // namespace magpie::server
