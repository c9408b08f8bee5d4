#pragma once

#include <optional>

#include "server/replication/replication.h"
#include "server/state/server_state.h"

namespace magpie::commands {

/// Whom this node follows, as clients are told; nothing for a leader. A node of a shard that knows of no leader follows
/// nobody yet, and still is none: its host is empty.
std::optional<server::Replication::Source> followed(const server::ServerState& server);

}  // namespace magpie::commands
