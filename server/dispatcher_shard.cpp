// The checks before a command may run on a node of a shard.

#include "cluster/placement/slot.h"
#include "server/commands/transaction.h"
#include "server/dispatcher.h"

namespace magpie::server {

using commands::Command;
using commands::Execution;

namespace {

constexpr std::int64_t kMostWaitMs = 500;  // for somebody to serve

bool is_exec(const Command& command) { return command.row->name == "exec"; }

commands::Flag flags_of(const ClientState& client, const Command& command) {
  return is_exec(command) ? client.transaction.row_flags : command.flags;
}

bool has_keys(const ClientState& client, const Command& command) {
  if (is_exec(command)) return client.transaction.slot.has_value();
  return command.row->keys.first != 0 || command.row->keys.find != nullptr;
}

}  // namespace

/// Whoever leads by its lease runs everything; a follower what it may, the rest goes to its leader; and where nobody is
/// known to serve, commands wait a moment. True if it was answered or waits.
bool Dispatcher::refuse_by_shard(Execution& execution, const Request& request, const Command& command) {
  ClientState& client = execution.client;
  const commands::Flag flags = flags_of(client, command);
  const bool writes = (flags & commands::kWrite) != 0;
  const bool keyed = has_keys(client, command);
  if (!writes && (flags & commands::kReadOnly) == 0) return false;
  ShardGate& shard = server_.shard;
  if (shard.may_serve()) {
    client.leaderless_until.reset();
    const bool in_sync = ServerState::acks_needed(client, *loop_.settings) == Acks::InSync;
    if (!writes || !in_sync || shard.enough_members()) return false;
    reject(execution, &command, "NOREPLICAS Not enough in-sync replicas to write.");
    return true;
  }
  if (shard.leads() || !shard.hears_leader()) {
    if (!keyed && !writes && !shard.leads()) return false;  // what this node has, as it is
    return wait_for_leader(execution, request, command);
  }
  client.leaderless_until.reset();
  if (!writes && (!keyed || (client.readonly && !server_.loading()))) return false;
  if (!keyed) {
    reject(execution, &command, "READONLY You can't write against a read only replica.");
    return true;
  }
  const auto picture = shard.picture();
  const ShardPicture::Node* const leader = picture->leader();
  if (leader == nullptr || leader->self || leader->host.empty()) return wait_for_leader(execution, request, command);
  reply_moved(execution, request, command, *leader);
  return true;
}

bool Dispatcher::wait_for_leader(Execution& execution, const Request& request, const Command& command) {
  ClientState& client = execution.client;
  if (!client.leaderless_until) client.leaderless_until = Instant{execution.now.ms + kMostWaitMs};
  if (execution.now < *client.leaderless_until) {
    client.blocked = Blocked{.kind = Blocked::Kind::Lease, .until = client.leaderless_until};
    return true;
  }
  client.leaderless_until.reset();
  const auto picture = server_.shard.picture();
  const ShardPicture::Node* const leader = picture->leader();
  const bool known = leader != nullptr && !leader->self && !leader->host.empty() && server_.shard.hears_leader();
  if (known && has_keys(client, command)) {
    reply_moved(execution, request, command, *leader);
  } else {
    reject(execution, &command, "CLUSTERDOWN The cluster is down: no node of this shard may serve now");
  }
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
