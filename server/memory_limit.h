#pragma once

#include <cstddef>

#include "server/config/settings.h"
#include "server/engine/keyspace.h"
#include "server/state/server_state.h"

namespace magpie::server {

/// Evicts what the policy allows while the data takes more than maxmemory less `queued` bytes (what a transaction
/// holds), `most` keys or so at once. No lock may be held.
engine::Keyspace::Room make_room(ServerState& server, const config::Settings& settings, Instant now, std::size_t queued,
                                 std::size_t most);

}  // namespace magpie::server
