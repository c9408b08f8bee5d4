// OBJECT: how a key is kept. Looking at it does not count as use.

#include <array>
#include <limits>

#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/encoding.h"
#include "server/commands/help_reply.h"

namespace magpie::commands {
namespace {

using engine::Entry;
using engine::Heat;
using engine::Key;

/// The entry that a subcommand is about; without one the reply is null, and written.
const Entry* entry_or_null(CommandContext& context, ArgReader& args) {
  const Key key = context.keys.key(args.bytes());
  const Entry* entry = context.keys.read_untouched(key);
  if (entry == nullptr) context.reply.null();
  return entry;
}

std::optional<Heat> heat_or_null(CommandContext& context, ArgReader& args) {
  const Key key = context.keys.key(args.bytes());
  if (context.keys.read_untouched(key) == nullptr) {
    context.reply.null();
    return std::nullopt;
  }
  return context.keys.keyspace().heat(context.keys.db(), key);
}

CommandResult encoding(CommandContext& context, ArgReader args) {
  if (const Entry* entry = entry_or_null(context, args)) {
    context.reply.bulk(encoding_name(entry->value(), context.settings));
  }
  return {};
}

/// Redis shares one object among all equal small integers, and says so with a count of its own; nothing is shared here.
CommandResult refcount(CommandContext& context, ArgReader args) {
  constexpr std::int64_t kSharedIntegers = 10'000;
  const Entry* entry = entry_or_null(context, args);
  if (entry == nullptr) return {};
  const engine::Value value = entry->value();
  const bool shared = value.form == engine::ValueForm::Integer && value.number >= 0 && value.number < kSharedIntegers;
  context.reply.integer(shared ? std::numeric_limits<std::int32_t>::max() : 1);
  return {};
}

CommandResult idletime(CommandContext& context, ArgReader args) {
  constexpr std::int64_t kMsPerSecond = 1000;
  const std::optional<Heat> heat = heat_or_null(context, args);
  if (!heat) return {};
  if (uses_frequency(context.keys.keyspace().eviction().policy)) {
    return error(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between "
        "policies at runtime LRU and LFU data will take some time to adjust.");
  }
  context.reply.integer(context.keys.keyspace().idle_ms(*heat, context.now) / kMsPerSecond);
  return {};
}

CommandResult freq(CommandContext& context, ArgReader args) {
  const std::optional<Heat> heat = heat_or_null(context, args);
  if (!heat) return {};
  if (!uses_frequency(context.keys.keyspace().eviction().policy)) {
    return error(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching "
        "between policies at runtime LRU and LFU data will take some time to adjust.");
  }
  context.reply.integer(engine::index_of(*heat));
  return {};
}

constexpr std::array<std::string_view, 12> kHelp{
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
};

CommandResult help(CommandContext& context, ArgReader) { return reply_help(context, kHelp); }

constexpr CommandRow about_key(std::string_view name, std::string_view since, std::string_view summary,
                               Handler handler) {
  return {.name = name,
          .arity = 3,
          .flags = kReadOnly,
          .keys = {.first = 2, .last = 2, .step = 1, .flags = "RO"},
          .categories = kCatKeyspace,
          .group = Group::Generic,
          .since = since,
          .summary = summary,
          .complexity = "O(1)",
          .handler = handler,
          .tips = "nondeterministic_output",
          .arguments = "key:key#0"};
}

constexpr std::array kSubcommands{
    about_key("encoding", "2.2.3", "Inspect the internal encoding of a Redis object", encoding),
    about_key("freq", "4.0.0", "Get the logarithmic access frequency counter of a Redis object", freq),
    help_row(Group::Generic, "6.2.0", help, kCatKeyspace),
    about_key("idletime", "2.2.3", "Get the time since a Redis object was last accessed", idletime),
    about_key("refcount", "2.2.3", "Get the number of references to the value of the key", refcount),
};

constexpr std::array kRows{
    CommandRow{.name = "object",
               .arity = -2,
               .group = Group::Generic,
               .since = "2.2.3",
               .summary = "A container for object introspection commands",
               .complexity = "Depends on subcommand.",
               .subcommands = kSubcommands},
};

}  // namespace

std::span<const CommandRow> object_commands() { return kRows; }

}  // namespace magpie::commands
