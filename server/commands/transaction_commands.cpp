#include <array>
#include <utility>

#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/transaction.h"

namespace magpie::commands {
namespace {

using engine::Key;
using engine::StripeMask;

/// Back to the state outside MULTI; what is watched stays.
void close_transaction(server::ClientState& client) {
  server::Transaction empty;
  empty.watched.swap(client.transaction.watched);
  empty.queued_bytes = empty.watched_bytes = client.transaction.watched_bytes;
  client.transaction = std::move(empty);
  client.multi_count = -1;
  client.multi_memory = client.transaction.queued_bytes;
}

CommandResult multi(CommandContext& context, ArgReader) {
  if (context.client.transaction.open) return error("ERR MULTI calls can not be nested");
  context.client.transaction.open = true;
  context.client.multi_count = 0;
  context.reply.ok();
  return {};
}

CommandResult discard(CommandContext& context, ArgReader) {
  if (!context.client.transaction.open) return error("ERR DISCARD without MULTI");
  discard_transaction(context.keys.keyspace(), context.client);
  context.reply.ok();
  return {};
}

/// The dispatcher holds the locks of the keys.
CommandResult watch(CommandContext& context, ArgReader args) {
  server::ClientState& client = context.client;
  if (client.transaction.open) return error("ERR WATCH inside MULTI is not allowed");
  server::Transaction& transaction = client.transaction;
  engine::Keyspace& keyspace = context.keys.keyspace();
  while (!args.done()) {
    const Key key = context.keys.key(args.bytes());
    // An expired key that is still there goes now: its removal later on must not look like a change.
    (void)keyspace.find(context.keys.db(), key, context.now);
    const auto [watched, added] = transaction.watched.insert({context.keys.db(), std::string(key.bytes)});
    if (!added) continue;
    keyspace.watch(context.keys.db(), key, client.watch_flag());
    transaction.watched_bytes += watched->memory();
    transaction.queued_bytes += watched->memory();
  }
  client.watch_count = static_cast<std::uint32_t>(transaction.watched.size());
  client.multi_memory = transaction.queued_bytes;
  context.reply.ok();
  return {};
}

CommandResult unwatch(CommandContext& context, ArgReader) {
  unwatch_all(context.keys.keyspace(), context.client, false);  // inside EXEC nothing is watched any more
  context.reply.ok();
  return {};
}

StripeMask watched_stripes(const server::ClientState& client) {
  StripeMask mask = 0;
  for (const server::WatchedKey& watched : client.transaction.watched) mask |= mask_of(Key::of(watched.key).stripe);
  return mask;
}

/// Needs the locks of the watched keys.
bool watch_is_dirty(CommandContext& context) {
  for (const server::WatchedKey& watched : context.client.transaction.watched) {
    // One that has expired since WATCH is erased by this, and that raises the flag.
    (void)context.keys.keyspace().find(watched.db, Key::of(watched.key), context.now);
  }
  return context.client.watch_dirty.load(std::memory_order_relaxed);
}

void run_queue(CommandContext& context) {
  const server::Transaction& transaction = context.client.transaction;
  Execution execution{context.server, context.loop, context.client, context.reply, context.now, true};
  context.reply.array(transaction.queue.size());
  std::vector<ByteView> arguments;
  for (const server::QueuedCommand& queued : transaction.queue) {
    queued.arguments(arguments);
    execute(execution, *queued.command, arguments, nullptr);
  }
}

CommandResult exec(CommandContext& context, ArgReader) {
  server::ClientState& client = context.client;
  if (!client.transaction.open) return error("ERR EXEC without MULTI");
  engine::Keyspace& keyspace = context.keys.keyspace();
  if (client.transaction.failed) {
    discard_transaction(keyspace, client);
    return error(ErrorCode::ExecAbort);
  }
  if (client.transaction.queued_bytes > static_cast<std::size_t>(context.settings.max_group_bytes)) {
    discard_transaction(keyspace, client);
    return error("EXECABORT Transaction discarded because it is larger than max-group-bytes.");
  }
  {
    const engine::Keyspace::Guard guard = keyspace.lock(client.transaction.stripes | watched_stripes(client));
    const bool dirty = watch_is_dirty(context);
    unwatch_all(keyspace, client, true);
    if (client.killed.load()) [[unlikely]] {  // while it waited for the locks: nobody reads the reply
      client.ending = server::Ending::AtOnce;
    } else if (dirty) {
      context.reply.null_array();
    } else {
      const engine::Keyspace::Group group(keyspace);
      run_queue(context);
    }
  }
  close_transaction(client);
  return {};
}

constexpr std::uint32_t kAlways = kNoScript | kLoading | kStale;

constexpr std::array kRows{
    CommandRow{.name = "discard",
               .arity = 1,
               .flags = kAlways | kFast | kAllowBusy | kRunInMulti,
               .categories = kCatTransaction,
               .group = Group::Transactions,
               .since = "2.0.0",
               .summary = "Discard all commands issued after MULTI",
               .complexity = "O(N), when N is the number of queued commands",
               .handler = discard},
    CommandRow{.name = "exec",
               .arity = 1,
               .flags = kAlways | kSkipSlowlog | kRunInMulti,
               .categories = kCatTransaction,
               .group = Group::Transactions,
               .since = "1.2.0",
               .summary = "Execute all commands issued after MULTI",
               .complexity = "Depends on commands in the transaction",
               .handler = exec,
               .locks = Locks::Own},
    CommandRow{.name = "multi",
               .arity = 1,
               .flags = kAlways | kFast | kAllowBusy | kRunInMulti,
               .categories = kCatTransaction,
               .group = Group::Transactions,
               .since = "1.2.0",
               .summary = "Mark the start of a transaction block",
               .complexity = "O(1)",
               .handler = multi},
    CommandRow{.name = "unwatch",
               .arity = 1,
               .flags = kAlways | kFast | kAllowBusy,
               .categories = kCatTransaction,
               .group = Group::Transactions,
               .since = "2.2.0",
               .summary = "Forget about all watched keys",
               .complexity = "O(1)",
               .handler = unwatch},
    CommandRow{.name = "watch",
               .arity = -2,
               .flags = kAlways | kFast | kAllowBusy | kRunInMulti,
               .keys = {.first = 1, .last = -1, .step = 1, .flags = "RO"},
               .categories = kCatTransaction,
               .group = Group::Transactions,
               .since = "2.2.0",
               .summary = "Watch the given keys to determine execution of the MULTI/EXEC block",
               .complexity = "O(1) for every key.",
               .handler = watch,
               .arguments = "key:key#0*"},
};

}  // namespace

void unwatch_all(engine::Keyspace& keyspace, server::ClientState& client, bool held) {
  auto& watched_keys = client.transaction.watched;
  for (const server::WatchedKey& watched : watched_keys) {
    const Key key = Key::of(watched.key);
    const engine::Keyspace::Guard guard = keyspace.lock(held ? 0 : mask_of(key.stripe));
    keyspace.unwatch(watched.db, key, client.watch_flag());
  }
  watched_keys.clear();
  client.transaction.queued_bytes -= std::exchange(client.transaction.watched_bytes, 0);
  client.multi_memory = client.transaction.queued_bytes;
  client.watch_count = 0;
  client.watch_dirty.store(false, std::memory_order_relaxed);
}

void discard_transaction(engine::Keyspace& keyspace, server::ClientState& client) {
  unwatch_all(keyspace, client, false);
  close_transaction(client);
}

std::span<const CommandRow> transaction_commands() { return kRows; }

}  // namespace magpie::commands
