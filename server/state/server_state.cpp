#include "server/state/server_state.h"

namespace magpie::server {

void ServerState::reset_statistics() {
  baseline.reset(loops);
  rates.reset();
  errors.reset();
  keyspace.reset_counters();
  rejected_connections.store(0, std::memory_order_relaxed);
}

}  // namespace magpie::server
