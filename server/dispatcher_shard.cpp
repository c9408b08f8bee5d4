// The checks before a command may run on a node of a shard.

#include "cluster/placement/slot.h"
#include "server/commands/transaction.h"
#include "server/dispatcher.h"
#include "server/effective_flags.h"

namespace magpie::server {

using commands::Command;
using commands::Execution;

namespace {

constexpr std::int64_t kMostWaitMs = 500;  // for somebody to serve

bool has_keys(const ClientState& client, const Command& command) {
  if (is_exec(command)) return client.transaction.slot.has_value();
  return command.row->keys.first != 0 || command.row->keys.find != nullptr;
}

}  // namespace

/// Whoever leads by its lease runs everything; a follower what it may, the rest goes to its leader; and where nobody is
/// known to serve, commands wait a moment. True if it was answered or waits.
bool Dispatcher::refuse_by_shard(Execution& execution, const Request& request, const Command& command) {
  ShardGate& shard = server_.shard;
  if (!shard.enabled()) return false;
  ClientState& client = execution.client;
  const commands::Flag flags = effective_flags(client, command);
  const bool writes = (flags & commands::kWrite) != 0;
  if (!writes && (flags & commands::kReadOnly) == 0) return false;
  if (shard.may_serve()) {
    client.leaderless_until.reset();
    return writes && lacks_members(execution, command);
  }
  const bool keyed = has_keys(client, command);
  if (shard.leads() || !shard.hears_leader()) {
    if (!keyed && !writes && !shard.leads()) return false;  // what this node has, as it is
    return wait_for_leader(execution, command);
  }
  client.leaderless_until.reset();
  if (!writes && (!keyed || (client.readonly && !server_.loading()))) return false;
  if (keyed) return send_to_leader(execution, request, command);
  reject(execution, &command, "READONLY You can't write against a read only replica.");
  return true;
}

/// Whether a write that in-sync replicas must have finds too few of them; then it was answered.
bool Dispatcher::lacks_members(Execution& execution, const Command& command) {
  const bool in_sync = ServerState::acks_needed(execution.client, *loop_.settings) == Acks::InSync;
  if (!in_sync || server_.shard.enough_members()) return false;
  reject(execution, &command, "NOREPLICAS Not enough in-sync replicas to write.");
  return true;
}

bool Dispatcher::send_to_leader(Execution& execution, const Request& request, const Command& command) {
  const auto picture = server_.shard.picture();
  const ShardPicture::Node* const leader = picture->leader();
  // Its address may not be known yet.
  if (leader == nullptr || leader->self || leader->host.empty()) return wait_for_leader(execution, command);
  reply_moved(execution, request, command, *leader);
  return true;
}

bool Dispatcher::wait_for_leader(Execution& execution, const Command& command) {
  ClientState& client = execution.client;
  if (!client.leaderless_until) client.leaderless_until = Instant{execution.now.ms + kMostWaitMs};
  if (execution.now < *client.leaderless_until) {
    client.blocked = Blocked{.kind = Blocked::Kind::Lease, .until = client.leaderless_until};
    return true;
  }
  client.leaderless_until.reset();
  reject(execution, &command, "CLUSTERDOWN The cluster is down: no node of this shard may serve now");
  return true;
}

void Dispatcher::reply_moved(Execution& execution, const Request& request, const Command& command,
                             const ShardPicture::Node& to) {
  const ClientState& client = execution.client;
  Slot slot{};
  if (is_exec(command)) {
    slot = client.transaction.slot.value_or(Slot{});
  } else if (request.has_key) {
    slot = slot_of(request.key.bytes);
  }
  const std::string text =
      "MOVED " + std::to_string(static_cast<unsigned>(slot)) + ' ' + to.host + ':' + std::to_string(to.port);
  if (is_exec(command)) commands::discard_transaction(server_.keyspace, execution.client);
  if (execution.client.transaction.open) execution.client.transaction.failed = true;
  commands::reply_error(execution, text);
}

}  // namespace magpie::server
