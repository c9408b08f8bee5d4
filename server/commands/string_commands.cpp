#include <array>

#include "server/commands/command_table.h"
#include "server/commands/context.h"

namespace magpie::commands {
namespace {

using engine::IntegerScratch;
using engine::Key;
using engine::Put;
using engine::StringValue;

CommandResult get(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const auto value = context.keys.read_string(key);
  if (!value) return std::unexpected(value.error().code());
  if (!*value) {
    context.reply.null();
    return {};
  }
  IntegerScratch scratch;
  context.reply.bulk(text_of(**value, scratch));
  return {};
}

CommandResult set(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const ByteView value = args.bytes();
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  context.keys.apply(Put{context.keys.db(), key, StringValue::compact(value), std::nullopt});
  context.reply.ok();
  return {};
}

constexpr KeySpec kOneKey{.first = 1, .last = 1, .step = 1, .flags = "RO access"};
constexpr KeySpec kOneKeyWritten{.first = 1, .last = 1, .step = 1, .flags = "RW access update variable_flags"};

constexpr std::array kRows{
    CommandRow{.name = "get",
               .arity = 2,
               .flags = kReadOnly | kFast,
               .keys = kOneKey,
               .categories = kCatString,
               .group = Group::String,
               .since = "1.0.0",
               .summary = "Get the value of a key",
               .complexity = "O(1)",
               .handler = get},
    CommandRow{.name = "set",
               .arity = -3,
               .flags = kWrite | kDenyOom,
               .keys = kOneKeyWritten,
               .categories = kCatString,
               .group = Group::String,
               .since = "1.0.0",
               .summary = "Set the string value of a key",
               .complexity = "O(1)",
               .handler = set},
};

}  // namespace

std::span<const CommandRow> string_commands() { return kRows; }

}  // namespace magpie::commands
