#pragma once

#include <cstddef>
#include <cstdint>

#include "server/config/settings.h"
#include "server/engine/keyspace.h"
#include "server/state/server_state.h"

namespace magpie::server {

/// How many keys a command that brings so many bytes may evict before it runs, with the data `over` bytes above
/// maxmemory. A few, and background slices evict the rest; but where the data is more than a 32nd above, a command
/// makes room for what it brings, so that no writer outruns them: the data then stays within a 32nd and one command a
/// loop.
std::size_t evictions_for(std::int64_t over, std::int64_t maxmemory, std::size_t brought);

/// How many of them at once, so that others need not wait: about a tenth of a millisecond's.
inline constexpr std::size_t kMostInlineEvictions = 64;

/// Bytes below maxmemory that background slices keep free, so that a command finds room: a 2,048th, at most 256 KB.
std::int64_t headroom(std::int64_t maxmemory);

/// Evicts what the policy allows while the data takes more than maxmemory less `queued` bytes (what a transaction
/// holds), `most` keys or so at once. No lock may be held.
engine::Keyspace::Room make_room(ServerState& server, const config::Settings& settings, Instant now, std::size_t queued,
                                 std::size_t most);

}  // namespace magpie::server
