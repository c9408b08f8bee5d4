#include <algorithm>
#include <array>

#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/string_reply.h"

namespace magpie::commands {
namespace {

using engine::Erase;
using engine::IntegerScratch;
using engine::Key;
using engine::Overwrite;
using engine::Put;
using engine::StringValue;

CommandResult get(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  auto value = context.keys.read_string(key);
  if (!value) return std::unexpected(std::move(value.error()));
  reply_string(context.reply, *value);
  return {};
}

CommandResult getdel(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  auto value = context.keys.read_string(key);
  if (!value) return std::unexpected(std::move(value.error()));
  reply_string(context.reply, *value);
  if (*value) context.keys.apply(Erase{context.keys.db(), key});
  return {};
}

CommandResult strlen(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  auto value = context.keys.read_string(key);
  if (!value) return std::unexpected(std::move(value.error()));
  IntegerScratch scratch;
  context.reply.integer(*value ? static_cast<std::int64_t>(text_of(**value, scratch).size()) : 0);
  return {};
}

/// Bytes from `start` to `end`, both inclusive; negative ones count from the end.
ByteView range_of(ByteView text, std::int64_t start, std::int64_t end) {
  const auto size = static_cast<std::int64_t>(text.size());
  if (start < 0 && end < 0 && start > end) return {};
  if (start < 0) start = std::max(start + size, std::int64_t{0});
  if (end < 0) end = std::max(end + size, std::int64_t{0});
  end = std::min(end, size - 1);
  if (start > end) return {};
  return text.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start + 1));
}

CommandResult getrange(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const std::int64_t start = args.integer();
  const std::int64_t end = args.integer();
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  auto value = context.keys.read_string(key);
  if (!value) return std::unexpected(std::move(value.error()));
  IntegerScratch scratch;
  if (*value) {
    reply_part(context.reply, **value, range_of(text_of(**value, scratch), start, end));
  } else {
    context.reply.bulk(ByteView{});
  }
  return {};
}

/// Nothing to write changes nothing, wherever it would go.
CommandResult setrange(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const std::int64_t offset = args.integer();
  const ByteView bytes = args.bytes();
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  if (offset < 0) return error(ErrorCode::OffsetOutOfRange);
  auto value = KeyAccess::string_of(context.keys.find_untouched(key));
  if (!value) return std::unexpected(std::move(value.error()));
  IntegerScratch scratch;
  std::size_t size = *value ? text_of(**value, scratch).size() : 0;
  if (!bytes.empty()) {
    const auto at = static_cast<std::uint64_t>(offset);
    if (!fits_string(context.settings, at, bytes.size())) return error(ErrorCode::StringTooLong);
    context.keys.apply(Overwrite{context.keys.db(), key, at, bytes});
    size = std::max(size, at + bytes.size());
  }
  context.reply.integer(static_cast<std::int64_t>(size));
  return {};
}

CommandResult append(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const ByteView bytes = args.bytes();
  auto value = KeyAccess::string_of(context.keys.find_untouched(key));
  if (!value) return std::unexpected(std::move(value.error()));
  std::size_t size = 0;
  if (*value) {
    IntegerScratch scratch;
    size = text_of(**value, scratch).size();
    if (!fits_string(context.settings, size, bytes.size())) return error(ErrorCode::StringTooLong);
    context.keys.apply(Overwrite{context.keys.db(), key, size, bytes});
  } else {
    context.keys.apply(Put{context.keys.db(), key, StringValue::compact(bytes), std::nullopt});
  }
  context.reply.integer(static_cast<std::int64_t>(size + bytes.size()));
  return {};
}

constexpr std::string_view kRangeComplexity =
    "O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned "
    "length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for "
    "small strings.";

constexpr std::array kRows{
    CommandRow{.name = "get",
               .arity = 2,
               .flags = kReadOnly | kFast,
               .keys = one_key("RO access"),
               .categories = kCatString,
               .group = Group::String,
               .since = "1.0.0",
               .summary = "Get the value of a key",
               .complexity = "O(1)",
               .handler = get,
               .arguments = "key:key#0"},
    CommandRow{.name = "getdel",
               .arity = 2,
               .flags = kWrite | kFast,
               .keys = one_key("RW access delete"),
               .categories = kCatString,
               .group = Group::String,
               .since = "6.2.0",
               .summary = "Get the value of a key and delete the key",
               .complexity = "O(1)",
               .handler = getdel,
               .arguments = "key:key#0"},
    CommandRow{.name = "strlen",
               .arity = 2,
               .flags = kReadOnly | kFast,
               .keys = one_key("RO"),
               .categories = kCatString,
               .group = Group::String,
               .since = "2.2.0",
               .summary = "Get the length of the value stored in a key",
               .complexity = "O(1)",
               .handler = strlen,
               .arguments = "key:key#0"},
    CommandRow{.name = "getrange",
               .arity = 4,
               .flags = kReadOnly,
               .keys = one_key("RO access"),
               .categories = kCatString,
               .group = Group::String,
               .since = "2.4.0",
               .summary = "Get a substring of the string stored at a key",
               .complexity = kRangeComplexity,
               .handler = getrange,
               .arguments = "key:key#0 start:integer end:integer"},
    CommandRow{.name = "substr",
               .arity = 4,
               .flags = kReadOnly,
               .keys = one_key("RO access"),
               .categories = kCatString,
               .group = Group::String,
               .since = "1.0.0",
               .summary = "Get a substring of the string stored at a key",
               .complexity = kRangeComplexity,
               .handler = getrange,
               .arguments = "key:key#0 start:integer end:integer",
               .deprecated_since = "2.0.0",
               .replaced_by = "`GETRANGE`"},
    CommandRow{.name = "setrange",
               .arity = 4,
               .flags = kWrite | kDenyOom,
               .keys = one_key("RW update"),
               .categories = kCatString,
               .group = Group::String,
               .since = "2.2.0",
               .summary = "Overwrite part of a string at key starting at the specified offset",
               .complexity = "O(1), not counting the time taken to copy the new string in place. Usually, this string "
                             "is very small so the amortized complexity is O(1). Otherwise, complexity is O(M) with M "
                             "being the length of the value argument.",
               .handler = setrange,
               .arguments = "key:key#0 offset:integer value"},
    CommandRow{.name = "append",
               .arity = 3,
               .flags = kWrite | kDenyOom | kFast,
               .keys = one_key("RW insert"),
               .categories = kCatString,
               .group = Group::String,
               .since = "2.0.0",
               .summary = "Append a value to a key",
               .complexity = "O(1). The amortized time complexity is O(1) assuming the appended value is small and the "
                             "already present value is of any size, since the dynamic string library used by Redis "
                             "will double the free space available on every reallocation.",
               .handler = append,
               .arguments = "key:key#0 value"},
};

}  // namespace

std::span<const CommandRow> string_commands() { return kRows; }

}  // namespace magpie::commands
