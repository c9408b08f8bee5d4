// MEMORY: what keys and the server take.

#include <array>
#include <limits>

#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/help_reply.h"
#include "server/commands/info.h"
#include "server/engine/memory.h"

namespace magpie::commands {
namespace {

CommandResult memory_usage(CommandContext& context, ArgReader args) {
  const engine::Key key = context.keys.key(args.bytes());
  while (!args.done()) {
    if (!args.keyword("SAMPLES") || args.done()) return error(ErrorCode::Syntax);
    args.integer_in(0, std::numeric_limits<std::int64_t>::max(), ErrorCode::Syntax);
    if (args.failed()) break;
  }
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  const engine::Entry* entry = context.server.keyspace.peek(context.keys.db(), key, context.now);
  if (entry == nullptr) {
    context.reply.null();
    return {};
  }
  // The entry and its slot in the table.
  context.reply.integer(
      static_cast<std::int64_t>(engine::EntryHeap::memory(*entry) + entry->object_memory() + sizeof(void*)));
  return {};
}

struct Databases {
  std::vector<std::uint32_t> used;
  std::int64_t keys = 0;
};

Databases databases_of(CommandContext& context) {
  Databases databases;
  engine::Keyspace& keyspace = context.server.keyspace;
  const engine::Keyspace::Guard guard = lock_all(context);
  for (std::uint32_t db = 0; db < keyspace.databases(); ++db) {
    const std::uint64_t keys = keyspace.keys(Db{db});
    if (keys == 0) continue;
    databases.used.push_back(db);
    databases.keys += static_cast<std::int64_t>(keys);
  }
  return databases;
}

/// Tables are shared out by number of keys: the engine counts them together.
void reply_databases(CommandContext& context, const Databases& databases, const MemoryReport& memory) {
  for (const std::uint32_t db : databases.used) {
    std::int64_t tables = memory.tables;
    if (databases.used.size() > 1) {
      const engine::Keyspace::Guard guard = lock_all(context);
      const auto keys = static_cast<std::int64_t>(context.server.keyspace.keys(Db{db}));
      tables = static_cast<std::int64_t>(static_cast<double>(memory.tables) * static_cast<double>(keys) /
                                         static_cast<double>(databases.keys));
    }
    context.reply.bulk("db." + std::to_string(db));
    context.reply.map(3);
    context.reply.bulk("overhead.hashtable.main");
    context.reply.integer(tables);
    context.reply.bulk("overhead.hashtable.expires");
    context.reply.integer(0);
    context.reply.bulk("overhead.hashtable.slot-to-keys");
    context.reply.integer(0);
  }
}

CommandResult memory_stats(CommandContext& context, ArgReader) {
  constexpr std::size_t kFields = 26;  // beside those of databases
  const MemoryReport memory = memory_report(context);
  const Databases databases = databases_of(context);
  resp::ReplyWriter& reply = context.reply;
  const auto integer = [&](std::string_view name, std::int64_t value) {
    reply.bulk(name);
    reply.integer(value);
  };
  const auto real = [&](std::string_view name, double value) {
    reply.bulk(name);
    reply.real(value);
  };
  reply.map(kFields + databases.used.size());
  integer("peak.allocated", memory.peak);
  integer("total.allocated", memory.used);
  integer("startup.allocated", memory.startup);
  integer("replication.backlog", 0);
  integer("clients.slaves", 0);
  integer("clients.normal", memory.clients);
  integer("cluster.links", 0);
  integer("aof.buffer", 0);
  integer("lua.caches", 0);
  integer("functions.caches", 0);
  reply_databases(context, databases, memory);
  integer("overhead.total", memory.overhead);
  integer("keys.count", databases.keys);
  integer("keys.bytes-per-key", memory.bytes_per_key());
  real("keys.overhead-per-key", memory.key_cost.overhead);
  integer("dataset.bytes", memory.dataset());
  real("dataset.percentage", memory.dataset_percent());
  real("peak.percentage", memory.peak_percent());
  integer("allocator.allocated", memory.used);
  integer("allocator.active", memory.resident);
  integer("allocator.resident", memory.resident);
  real("allocator-fragmentation.ratio", memory.fragmentation());
  integer("allocator-fragmentation.bytes", memory.fragmented());
  real("allocator-rss.ratio", 1);
  integer("allocator-rss.bytes", 0);
  real("fragmentation", memory.fragmentation());
  integer("fragmentation.bytes", memory.fragmented());
  return {};
}

CommandResult memory_doctor(CommandContext& context, ArgReader) {
  constexpr std::int64_t kLittle = 5 << 20;
  constexpr double kMuchFragmentation = 1.4;
  constexpr std::int64_t kMuchPerMille = 1500;
  const MemoryReport memory = memory_report(context);
  std::string text;
  if (memory.used < kLittle) {
    text = "This server holds little data, too little to say anything about how it uses memory.\n";
  } else {
    if (memory.peak * 1000 > memory.used * kMuchPerMille) {
      text += "* Memory use was at " + human_bytes(memory.peak) + ", now it is at " + human_bytes(memory.used) +
              ": the process may keep pages that it does not need. MEMORY PURGE gives them back.\n";
    }
    if (memory.fragmentation() > kMuchFragmentation) {
      text += "* The process takes " + human_bytes(memory.resident) + " of memory for " + human_bytes(memory.used) +
              " of data (fragmentation). MEMORY PURGE may help; a restart does.\n";
    }
    if (memory.clients * 4 > memory.used) {
      text += "* Buffers of clients take " + human_bytes(memory.clients) +
              ": some send faster than they read. See CLIENT LIST (tot-mem) and client-output-buffer-limit.\n";
    }
    if (text.empty()) text = "Nothing unusual about memory.\n";
  }
  context.reply.verbatim("txt", text);
  return {};
}

CommandResult memory_malloc_stats(CommandContext& context, ArgReader) {
  const MemoryReport memory = memory_report(context);
  context.reply.verbatim("txt", std::string("allocator: ") + engine::allocator_name() +
                                    "\nin use: " + std::to_string(memory.used) +
                                    "\nresident: " + std::to_string(memory.resident) + "\n");
  return {};
}

CommandResult memory_purge(CommandContext& context, ArgReader) {
  engine::purge_memory();
  context.reply.ok();
  return {};
}

CommandResult memory_help(CommandContext& context, ArgReader) {
  static constexpr std::string_view kLines[] = {"DOCTOR",
                                                "    Advice on how memory is used.",
                                                "MALLOC-STATS",
                                                "    What the allocator says of itself.",
                                                "PURGE",
                                                "    Gives unused pages back to the system.",
                                                "STATS",
                                                "    What takes how much memory.",
                                                "USAGE <key> [SAMPLES <count>]",
                                                "    The bytes that a key and its value take. <count> elements",
                                                "    of a large value are measured, all with 0, 5 unless told."};
  return reply_help(context, kLines);
}

constexpr std::array kMemorySubcommands{
    CommandRow{.name = "doctor",
               .arity = 2,
               .group = Group::Server,
               .since = "4.0.0",
               .summary = "Outputs memory problems report",
               .complexity = "O(1)",
               .handler = memory_doctor,
               .locks = Locks::Own,
               .tips = "nondeterministic_output request_policy:all_shards response_policy:special"},
    help_row(Group::Server, "4.0.0", memory_help),
    CommandRow{.name = "malloc-stats",
               .arity = 2,
               .group = Group::Server,
               .since = "4.0.0",
               .summary = "Show allocator internal stats",
               .complexity = "Depends on how much memory is allocated, could be slow",
               .handler = memory_malloc_stats,
               .locks = Locks::Own,
               .tips = "nondeterministic_output request_policy:all_shards response_policy:special"},
    CommandRow{.name = "purge",
               .arity = 2,
               .group = Group::Server,
               .since = "4.0.0",
               .summary = "Ask the allocator to release memory",
               .complexity = "Depends on how much memory is allocated, could be slow",
               .handler = memory_purge,
               .tips = "request_policy:all_shards response_policy:all_succeeded"},
    CommandRow{.name = "stats",
               .arity = 2,
               .group = Group::Server,
               .since = "4.0.0",
               .summary = "Show memory usage details",
               .complexity = "O(1)",
               .handler = memory_stats,
               .locks = Locks::Own,
               .tips = "nondeterministic_output request_policy:all_shards response_policy:special"},
    CommandRow{.name = "usage",
               .arity = -3,
               .flags = kReadOnly,
               .keys = {.first = 2, .last = 2, .step = 1, .flags = "RO"},
               .group = Group::Server,
               .since = "4.0.0",
               .summary = "Estimate the memory usage of a key",
               .complexity = "O(N) where N is the number of samples.",
               .handler = memory_usage,
               .arguments = "key:key#0 count:integer=SAMPLES?"}};
constexpr std::array kRows{CommandRow{.name = "memory",
                                      .arity = -2,
                                      .group = Group::Server,
                                      .since = "4.0.0",
                                      .summary = "A container for memory diagnostics commands",
                                      .complexity = "Depends on subcommand.",
                                      .subcommands = kMemorySubcommands}};

}  // namespace

std::span<const CommandRow> memory_commands() { return kRows; }

}  // namespace magpie::commands
