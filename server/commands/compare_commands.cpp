#include <array>

#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/value_condition.h"

namespace magpie::commands {
namespace {

using engine::Erase;
using engine::IntegerScratch;
using engine::Key;

CommandResult delete_if(CommandContext& context, const Key& key, const ValueCondition& condition) {
  auto value = context.keys.find_string(key);
  if (!value) return std::unexpected(std::move(value.error()));
  const bool deletes = *value && condition.holds(*value);
  if (deletes) context.keys.apply(Erase{context.keys.db(), key});
  context.reply.integer(deletes ? 1 : 0);
  return {};
}

CommandResult delifeq(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  return delete_if(context, key, {Comparison::Equal, args.bytes()});
}

CommandResult delex(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  if (args.done()) {
    const bool there = context.keys.find_untouched(key) != nullptr;
    if (there) context.keys.apply(Erase{context.keys.db(), key});
    context.reply.integer(there ? 1 : 0);
    return {};
  }
  if (args.remaining() != 2) return error("ERR wrong number of arguments for 'delex' command");
  const auto comparison = comparison_named(args.bytes());
  if (!comparison) return error("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
  const ValueCondition condition{*comparison, args.bytes()};
  if (!condition.well_formed()) return error(kMalformedDigest);
  return delete_if(context, key, condition);
}

CommandResult digest(CommandContext& context, ArgReader args) {
  auto value = context.keys.read_string(context.keys.key(args.bytes()));
  if (!value) return std::unexpected(std::move(value.error()));
  if (!*value) {
    context.reply.null();
    return {};
  }
  IntegerScratch scratch;
  const auto digits = digest_of(text_of(**value, scratch));
  context.reply.bulk({digits.data(), digits.size()});
  return {};
}

constexpr std::array kRows{
    CommandRow{.name = "delifeq",
               .arity = 3,
               .flags = kWrite | kFast,
               .keys = one_key("RW delete"),
               .categories = kCatString,
               .group = Group::String,
               .since = "9.0.0",
               .summary = "Delete key if value matches string",
               .complexity = "O(1)",
               .handler = delifeq,
               .arguments = "key:key#0 value"},
    CommandRow{.name = "delex",
               .arity = -2,
               .flags = kWrite | kFast,
               .keys = one_key("RW delete"),
               .categories = kCatString,
               .group = Group::String,
               .since = "8.4.0",
               .summary = "Conditionally removes the specified key based on value or hash digest comparison.",
               .complexity = "O(1) for IFEQ/IFNE, O(N) for IFDEQ/IFDNE where N is the length of the string value.",
               .handler = delex,
               .arguments = "key:key#0 condition:oneof?(ifeq-value=IFEQ ifne-value=IFNE ifdeq-digest:integer=IFDEQ "
                            "ifdne-digest:integer=IFDNE)"},
    CommandRow{.name = "digest",
               .arity = 2,
               .flags = kReadOnly | kFast,
               .keys = one_key("RO"),
               .categories = kCatString,
               .group = Group::String,
               .since = "8.4.0",
               .summary = "Returns the XXH3 hash of a string value.",
               .complexity = "O(N) where N is the length of the string value.",
               .handler = digest,
               .arguments = "key:key#0"},
};

}  // namespace

std::span<const CommandRow> compare_commands() { return kRows; }

}  // namespace magpie::commands
