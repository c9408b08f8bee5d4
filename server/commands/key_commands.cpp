// DEL, UNLINK, EXISTS, TOUCH, TYPE: keys whatever they hold.

#include <array>

#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/key_groups.h"

namespace magpie::commands {
namespace {

using engine::Erase;
using engine::Key;

/// DEL, and UNLINK too: large values are freed in the background either way.
CommandResult del(CommandContext& context, ArgReader args) {
  std::int64_t erased = 0;
  visit_keys(context.keys, args.rest(), 1, [&](const Key& key, std::size_t) {
    if (context.keys.find_untouched(key) == nullptr) return;
    context.keys.apply(Erase{context.keys.db(), key});
    ++erased;
  });
  context.reply.integer(erased);
  return {};
}

CommandResult exists(CommandContext& context, ArgReader args) {
  std::int64_t found = 0;
  visit_keys(context.keys, args.rest(), 1, [&](const Key& key, std::size_t) {
    if (context.keys.read_untouched(key) != nullptr) ++found;
  });
  context.reply.integer(found);
  return {};
}

CommandResult touch(CommandContext& context, ArgReader args) {
  std::int64_t found = 0;
  visit_keys(context.keys, args.rest(), 1, [&](const Key& key, std::size_t) {
    if (context.keys.read(key) == nullptr) return;
    ++found;
    // Touching is what the command is for, so CLIENT NO-TOUCH does not prevent it.
    if (context.client.no_touch) context.keys.keyspace().use(context.keys.db(), key, context.now);
  });
  context.reply.integer(found);
  return {};
}

CommandResult type(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const engine::Entry* const entry = context.keys.read_untouched(key);
  context.reply.simple(entry != nullptr ? type_name(entry->type()) : "none");
  return {};
}

constexpr KeySpec all_keys(KeyFlags flags) { return {.first = 1, .last = -1, .step = 1, .flags = flags}; }

constexpr std::array kRows{
    CommandRow{.name = "del",
               .arity = -2,
               .flags = kWrite,
               .keys = all_keys("RM delete"),
               .categories = kCatKeyspace,
               .group = Group::Generic,
               .since = "1.0.0",
               .summary = "Delete a key",
               .complexity = "O(N) where N is the number of keys that will be removed. When a key to remove holds a "
                             "value other than a string, the individual complexity for this key is O(M) where M is the "
                             "number of elements in the list, set, sorted set or hash. Removing a single key that "
                             "holds a string value is O(1).",
               .handler = del,
               .tips = "request_policy:multi_shard response_policy:agg_sum",
               .arguments = "key:key#0*"},
    CommandRow{.name = "exists",
               .arity = -2,
               .flags = kReadOnly | kFast,
               .keys = all_keys("RO"),
               .categories = kCatKeyspace,
               .group = Group::Generic,
               .since = "1.0.0",
               .summary = "Determine if a key exists",
               .complexity = "O(N) where N is the number of keys to check.",
               .handler = exists,
               .tips = "request_policy:multi_shard response_policy:agg_sum",
               .arguments = "key:key#0*",
               .history = "3.0.3 Accepts multiple `key` arguments."},
    CommandRow{.name = "touch",
               .arity = -2,
               .flags = kReadOnly | kFast,
               .keys = all_keys("RO"),
               .categories = kCatKeyspace,
               .group = Group::Generic,
               .since = "3.2.1",
               .summary = "Alters the last access time of a key(s). Returns the number of existing keys specified.",
               .complexity = "O(N) where N is the number of keys that will be touched.",
               .handler = touch,
               .tips = "request_policy:multi_shard response_policy:agg_sum",
               .arguments = "key:key#0*"},
    CommandRow{.name = "type",
               .arity = 2,
               .flags = kReadOnly | kFast,
               .keys = {.first = 1, .last = 1, .step = 1, .flags = "RO"},
               .categories = kCatKeyspace,
               .group = Group::Generic,
               .since = "1.0.0",
               .summary = "Determine the type stored at key",
               .complexity = "O(1)",
               .handler = type,
               .arguments = "key:key#0"},
    CommandRow{.name = "unlink",
               .arity = -2,
               .flags = kWrite | kFast,
               .keys = all_keys("RM delete"),
               .categories = kCatKeyspace,
               .group = Group::Generic,
               .since = "4.0.0",
               .summary = "Delete a key asynchronously in another thread. Otherwise it is just as DEL, but non "
                          "blocking.",
               .complexity = "O(1) for each key removed regardless of its size. Then the command does O(N) work in a "
                             "different thread in order to reclaim memory, where N is the number of allocations the "
                             "deleted objects where composed of.",
               .handler = del,
               .tips = "request_policy:multi_shard response_policy:agg_sum",
               .arguments = "key:key#0*"},
};

}  // namespace

std::span<const CommandRow> key_commands() { return kRows; }

}  // namespace magpie::commands
