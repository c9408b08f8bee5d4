// The checks before a command may run.

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "server/commands/command_table.h"
#include "server/commands/transaction.h"
#include "server/dispatcher.h"
#include "server/effective_flags.h"
#include "server/engine/memory.h"
#include "server/memory_limit.h"
#include "server/unknown_command.h"

namespace magpie::server {

using commands::Command;
using commands::Execution;

namespace {

/// Whether the command has the flag; EXEC if all commands have it that it will run.
bool all_have(const ClientState& client, const Command& command, commands::Flag flag) {
  if (!is_exec(command)) return command.has(flag);
  return std::ranges::all_of(client.transaction.queue, [&](const auto& queued) { return queued.command->has(flag); });
}

/// REPLICAOF and its like: whom a replica follows can be changed at any time.
bool changes_role(const ClientState& client, const Command& command) {
  return all_have(client, command, commands::kAdmin) && all_have(client, command, commands::kNoScript) &&
         all_have(client, command, commands::kStale);
}

/// FAILOVER: what is written now would be lost.
bool hands_over(const ServerState& server) { return server.replication.failover() != Replication::Failover::None; }

/// When a command that waits is looked at again at the latest.
Instant end_of_pause(const ServerState& server, Instant now) {
  constexpr std::int64_t kLookAgainMs = 50;
  if (hands_over(server)) return Instant{now.ms + kLookAgainMs};
  return Instant{server.pause.until_ms.load(std::memory_order_relaxed)};
}

/// Inside MULTI everything takes memory, if only for its queue, but what ends the transaction.
bool takes_memory(const ClientState& client, const Command& command) {
  if (command.has(commands::kDenyOom)) return true;
  if (!client.transaction.open) return false;
  if (is_exec(command)) return (client.transaction.row_flags & commands::kDenyOom) != 0;
  const std::string_view name = command.row->name;
  return name != "discard" && name != "quit" && name != "reset";
}

/// What an HTTP client sends: somebody makes a browser talk to this server.
bool is_http(ByteView name) { return equals_ignore_case(name, "post") || equals_ignore_case(name, "host:"); }

}  // namespace

void Dispatcher::reject(Execution& execution, const Command* command, ByteView text) {
  if (command != nullptr) loop_.statistics->commands[command->id].rejected.add(1);
  Transaction& transaction = execution.client.transaction;
  if (command != nullptr && is_exec(*command)) {
    commands::discard_transaction(server_.keyspace, execution.client);
    if (text.starts_with("ERR ")) text.remove_prefix(4);
    commands::reply_error(execution, "EXECABORT Transaction discarded because of: " + std::string(text));
    return;
  }
  if (transaction.open) transaction.failed = true;
  commands::reply_error(execution, text);
}

/// As Redis does with HTTP: the connection ends without a word, one line a minute tells.
void Dispatcher::cut_off(ClientState& client, Instant now) {
  constexpr std::int64_t kMinuteMs = 60'000;
  client.ending = Ending::AtOnce;
  std::int64_t last = server_.http_logged_ms.load(std::memory_order_relaxed);
  if (std::abs(now.ms - last) <= kMinuteMs) return;
  if (!server_.http_logged_ms.compare_exchange_strong(last, now.ms, std::memory_order_relaxed)) return;
  server_.control.log("Possible SECURITY ATTACK detected: POST or Host: came as a command from " + client.peer_address +
                      ", as if somebody made a web browser talk to this server. Connection aborted.");
}

/// The command by its name and number of arguments; `command` becomes the subcommand where there is one. False if it
/// was answered.
bool Dispatcher::resolve(Execution& execution, std::span<const ByteView> arguments, const Command*& command) {
  if (command == nullptr) {
    if (is_http(arguments[0])) {
      cut_off(execution.client, execution.now);
    } else {
      reject(execution, nullptr, unknown_command(arguments));
    }
    return false;
  }
  if (!command->subcommands.empty() && arguments.size() > 1) {
    const Command* parent = std::exchange(command, commands::find_subcommand(*command, arguments[1]));
    if (command == nullptr) {
      reject(execution, nullptr, unknown_subcommand(*parent, arguments[1]));
      return false;
    }
  }
  if (!command->arity_fits(arguments.size())) [[unlikely]] {
    reject(execution, command, "ERR wrong number of arguments for '" + command->full_name + "' command");
    return false;
  }
  return true;
}

bool Dispatcher::must_authenticate(const ClientState& client) const {
  return !client.authenticated && !loop_.settings->requirepass.empty();
}

/// Whether maxmemory forbids the command, or it must wait. Evicts a few keys; where that is not enough yet, the command
/// runs all the same and background slices evict the rest. One that owes more evictions waits for the loop's next turn.
bool Dispatcher::lacks_room(Execution& execution, const Request& request, const Command& command) {
  ClientState& client = execution.client;
  const std::size_t owed = std::exchange(client.evictions_owed, 0);
  if (!takes_memory(client, command)) return false;
  const config::Settings& settings = *loop_.settings;
  const std::size_t queued = client.transaction.queued_bytes;
  const std::int64_t over = engine::used_memory() + static_cast<std::int64_t>(queued) - settings.maxmemory;
  if (over <= 0) return false;
  std::size_t most = evictions_for(over, settings.maxmemory, request.bytes());
  if (owed > 0) most = std::min(most, owed);
  const std::size_t now = std::min(most, kMostInlineEvictions);
  const engine::Keyspace::Room room = make_room(server_, settings, execution.now, queued, now);
  if (room == engine::Keyspace::Room::None) {
    reject(execution, &command, text_of(resp::ErrorCode::OutOfMemory));
    return true;
  }
  if (room == engine::Keyspace::Room::Enough || now == most) return false;
  client.evictions_owed = most - now;
  client.blocked = Blocked{Blocked::Kind::Room, std::nullopt};
  return true;
}

/// The checks before a command may run, in Redis's order. True if it was answered or must wait.
bool Dispatcher::refuse(Execution& execution, const Request& request, const Command*& command) {
  if (!resolve(execution, request.args.views(), command)) return true;
  ClientState& client = execution.client;
  if (!client.authenticated && !command->has(commands::kNoAuth) && must_authenticate(client)) {
    reject(execution, command, text_of(resp::ErrorCode::NoAuth));
    return true;
  }
  if (client.transaction.open && command->has(commands::kNoMulti)) {
    reject(execution, command, "ERR Command not allowed inside a transaction");
    return true;
  }
  if (refuse_by_shard(execution, request, *command)) return true;
  const bool follows = server_.replication.follows();
  if (loop_.settings->maxmemory > 0 && !follows && !hands_over(server_) && lacks_room(execution, request, *command))
    return true;
  if ((follows || loop_.settings->min_replicas_to_write > 0) && refuse_by_role(execution, *command)) return true;
  if (client.monitoring) [[unlikely]] {
    constexpr std::uint32_t kKeyspace = commands::kReadOnly | commands::kWrite | commands::kMayReplicate;
    if ((effective_flags(client, *command) & kKeyspace) == 0) return false;  // and it is never paused
    reject(execution, command, "ERR Replica can't interact with the keyspace");
    return true;
  }
  if (paused(client, *command, execution.now)) {
    client.blocked = Blocked{Blocked::Kind::Pause, end_of_pause(server_, execution.now)};
    return true;
  }
  return false;
}

/// What a replica does not do, nor a leader with too few of them. True if it was answered.
bool Dispatcher::refuse_by_role(Execution& execution, const Command& command) {
  const config::Settings& settings = *loop_.settings;
  const ClientState& client = execution.client;
  const bool follows = server_.replication.follows();
  if ((effective_flags(client, command) & commands::kWrite) != 0 && server_.writes_refused(settings)) {
    reject(execution, &command,
           follows ? "READONLY You can't write against a read only replica."
                   : "NOREPLICAS Not enough good replicas to write.");
    return true;
  }
  if (!follows) return false;
  if (server_.stale(settings) && !all_have(client, command, commands::kStale)) {
    reject(execution, &command, "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.");
    return true;
  }
  if (server_.loading() && !all_have(client, command, commands::kLoading) && !changes_role(client, command)) {
    reject(execution, &command, "LOADING Redis is loading the dataset in memory");
    return true;
  }
  return false;
}

bool Dispatcher::paused(const ClientState& client, const Command& command, Instant now) const {
  const bool over = hands_over(server_);
  if (!over && server_.pause.until_ms.load(std::memory_order_relaxed) == 0) [[likely]] {
    return false;
  }
  const bool writes = (effective_flags(client, command) & (commands::kWrite | commands::kMayReplicate)) != 0;
  if (writes && over) return true;
  if (!server_.pause.active(now)) return false;
  if (!server_.pause.only_writes.load(std::memory_order_relaxed)) return true;
  return writes;
}

}  // namespace magpie::server
