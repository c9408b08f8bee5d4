#include "server/commands/role.h"

namespace magpie::commands {

using Source = server::Replication::Source;

std::optional<Source> followed(const server::ServerState& server) {
  if (!server.shard.enabled()) return server.replication.source();
  if (server.shard.leads()) return std::nullopt;
  const auto picture = server.shard.picture();
  const auto* leader = picture->leader();
  return leader == nullptr || leader->self ? Source{} : Source{leader->host, leader->port};
}

}  // namespace magpie::commands
