#pragma once

#include "server/engine/keyspace.h"
#include "server/state/client_state.h"

namespace magpie::commands {

/// Forgets what the client watches, and whether it changed. Takes the locks of the watched keys one after the other,
/// unless `held` says that the caller holds them. The client's loop.
void unwatch_all(engine::Keyspace& keyspace, server::ClientState& client, bool held);

/// Ends a transaction without running anything: DISCARD, RESET, EXECABORT, a client that leaves. No lock may be held.
void discard_transaction(engine::Keyspace& keyspace, server::ClientState& client);

}  // namespace magpie::commands
