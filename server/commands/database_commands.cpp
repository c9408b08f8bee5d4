// DBSIZE, FLUSHDB, FLUSHALL, SWAPDB: databases as a whole.

#include <array>
#include <limits>

#include "server/commands/command_table.h"
#include "server/commands/context.h"

namespace magpie::commands {
namespace {

using engine::Flush;
using engine::SwapDb;

CommandResult dbsize(CommandContext& context, ArgReader) {
  context.reply.integer(static_cast<std::int64_t>(context.keys.keyspace().keys(context.keys.db())));
  return {};
}

std::uint64_t keys_of(const engine::Keyspace& keyspace, std::optional<Db> db) {
  if (db) return keyspace.keys(*db);
  std::uint64_t sum = 0;
  for (std::uint32_t number = 0; number < keyspace.databases(); ++number) sum += keyspace.keys(Db{number});
  return sum;
}

CommandResult flush(CommandContext& context, ArgReader& args, std::optional<Db> db) {
  bool lazily = context.settings.lazyfree_lazy_user_flush;
  if (args.keyword("async")) {
    lazily = true;
  } else if (args.keyword("sync")) {
    lazily = false;
  }
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  context.keys.apply_as(Flush{db}, keys_of(context.keys.keyspace(), db));
  if (!lazily) {
    constexpr std::size_t kStep = 1024;
    while (context.keys.keyspace().free_some(kStep, engine::Keyspace::Freeing::AtOnce) > 0) {
    }
  }
  context.reply.ok();
  return {};
}

CommandResult flushdb(CommandContext& context, ArgReader args) { return flush(context, args, context.keys.db()); }
CommandResult flushall(CommandContext& context, ArgReader args) { return flush(context, args, std::nullopt); }

std::int64_t read_index(ArgReader& args, const char* otherwise) {
  const auto number = parse_integer(args.bytes());
  if (number && *number >= std::numeric_limits<int>::min() && *number <= std::numeric_limits<int>::max()) {
    return *number;
  }
  args.fail(CommandError(std::string(otherwise)));
  return 0;
}

CommandResult swapdb(CommandContext& context, ArgReader args) {
  if (context.server.shard.enabled()) return error("ERR SWAPDB is not allowed in cluster mode");
  const std::int64_t first = read_index(args, "ERR invalid first DB index");
  const std::int64_t second = read_index(args, "ERR invalid second DB index");
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  const std::int64_t databases = context.server.keyspace.databases();
  if (first < 0 || first >= databases || second < 0 || second >= databases) return error(ErrorCode::DbOutOfRange);
  if (first != second) {
    context.keys.apply(SwapDb{Db{static_cast<std::uint32_t>(first)}, Db{static_cast<std::uint32_t>(second)}});
  }
  context.reply.ok();
  return {};
}

constexpr std::array kRows{
    CommandRow{.name = "dbsize",
               .arity = 1,
               .flags = kReadOnly | kFast,
               .categories = kCatKeyspace,
               .group = Group::Server,
               .since = "1.0.0",
               .summary = "Return the number of keys in the selected database",
               .complexity = "O(1)",
               .handler = dbsize,
               .locks = Locks::All,
               .tips = "request_policy:all_shards response_policy:agg_sum"},
    CommandRow{.name = "flushall",
               .arity = -1,
               .flags = kWrite,
               .categories = kCatKeyspace | kCatDangerous,
               .group = Group::Server,
               .since = "1.0.0",
               .summary = "Remove all keys from all databases",
               .complexity = "O(N) where N is the total number of keys in all databases",
               .handler = flushall,
               .locks = Locks::All,
               .tips = "request_policy:all_shards response_policy:all_succeeded",
               .arguments = "async:oneof?(async:pure-token=ASYNC@4.0.0 sync:pure-token=SYNC@6.2.0)",
               .history = "4.0.0 Added the `ASYNC` flushing mode modifier.\n"
                          "6.2.0 Added the `SYNC` flushing mode modifier."},
    CommandRow{.name = "flushdb",
               .arity = -1,
               .flags = kWrite,
               .categories = kCatKeyspace | kCatDangerous,
               .group = Group::Server,
               .since = "1.0.0",
               .summary = "Remove all keys from the current database",
               .complexity = "O(N) where N is the number of keys in the selected database",
               .handler = flushdb,
               .locks = Locks::All,
               .tips = "request_policy:all_shards response_policy:all_succeeded",
               .arguments = "async:oneof?(async:pure-token=ASYNC@4.0.0 sync:pure-token=SYNC@6.2.0)",
               .history = "4.0.0 Added the `ASYNC` flushing mode modifier.\n"
                          "6.2.0 Added the `SYNC` flushing mode modifier."},
    CommandRow{.name = "swapdb",
               .arity = 3,
               .flags = kWrite | kFast,
               .categories = kCatKeyspace | kCatDangerous,
               .group = Group::Server,
               .since = "4.0.0",
               .summary = "Swaps two Redis databases",
               .complexity = "O(N) where N is the count of clients watching or blocking on keys from both databases.",
               .handler = swapdb,
               .locks = Locks::All,
               .arguments = "index1:integer index2:integer"},
};

}  // namespace

std::span<const CommandRow> database_commands() { return kRows; }

}  // namespace magpie::commands
