#include <array>
#include <cmath>
#include <limits>

#include "protocol/numbers.h"
#include "server/commands/command_table.h"
#include "server/commands/context.h"

namespace magpie::commands {
namespace {

using engine::Entry;
using engine::Key;
using engine::Put;
using engine::StringForm;
using engine::StringValue;

std::optional<Instant> expiry_of(const Entry* entry) { return entry == nullptr ? std::nullopt : entry->expiry(); }

CommandResult add(CommandContext& context, ByteView key_bytes, std::int64_t delta) {
  const Key key = context.keys.key(key_bytes);
  const Entry* const entry = context.keys.find_untouched(key);
  auto value = KeyAccess::string_of(entry);
  if (!value) return std::unexpected(std::move(value.error()));
  std::optional<std::int64_t> number = 0;
  if (*value) number = (*value)->form == StringForm::Integer ? (*value)->number : parse_integer((*value)->bytes);
  if (!number) return error(ErrorCode::NotInteger);
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*number, delta, &sum)) return error(ErrorCode::Overflow);
  context.keys.apply(Put{context.keys.db(), key, StringValue::integer(sum), expiry_of(entry)});
  context.reply.integer(sum);
  return {};
}

CommandResult incr(CommandContext& context, ArgReader args) { return add(context, args.bytes(), 1); }
CommandResult decr(CommandContext& context, ArgReader args) { return add(context, args.bytes(), -1); }

CommandResult incrby(CommandContext& context, ArgReader args) {
  const ByteView key = args.bytes();
  const std::int64_t delta = args.integer();
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  return add(context, key, delta);
}

CommandResult decrby(CommandContext& context, ArgReader args) {
  const ByteView key = args.bytes();
  const std::int64_t delta = args.integer();
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  if (delta == std::numeric_limits<std::int64_t>::min()) return error("ERR decrement would overflow");
  return add(context, key, -delta);
}

/// The value's type is checked before the increment is read, as in Redis.
CommandResult incrbyfloat(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const Entry* const entry = context.keys.find_untouched(key);
  auto value = KeyAccess::string_of(entry);
  if (!value) return std::unexpected(std::move(value.error()));
  std::optional<long double> number = 0;
  if (*value) {
    number = (*value)->form == StringForm::Integer ? static_cast<long double>((*value)->number)
                                                   : parse_long_double((*value)->bytes);
  }
  if (!number) return error(ErrorCode::NotFloat);
  const long double delta = args.long_real();
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  const long double sum = *number + delta;
  if (std::isnan(sum) || std::isinf(sum)) return error(ErrorCode::NanOrInfinity);
  const std::string text = format_human_long_double(sum);
  context.keys.apply(Put{context.keys.db(), key, StringValue::plain(text), expiry_of(entry)});
  context.reply.bulk(text);
  return {};
}

constexpr CommandRow counter(std::string_view name, int arity, std::string_view since, std::string_view summary,
                             std::string_view arguments, Handler handler) {
  return {.name = name,
          .arity = arity,
          .flags = kWrite | kDenyOom | kFast,
          .keys = {.first = 1, .last = 1, .step = 1, .flags = "RW access update"},
          .categories = kCatString,
          .group = Group::String,
          .since = since,
          .summary = summary,
          .complexity = "O(1)",
          .handler = handler,
          .arguments = arguments};
}

constexpr std::array kRows{
    counter("incr", 2, "1.0.0", "Increment the integer value of a key by one", "key:key#0", incr),
    counter("decr", 2, "1.0.0", "Decrement the integer value of a key by one", "key:key#0", decr),
    counter("incrby", 3, "1.0.0", "Increment the integer value of a key by the given amount",
            "key:key#0 increment:integer", incrby),
    counter("decrby", 3, "1.0.0", "Decrement the integer value of a key by the given number",
            "key:key#0 decrement:integer", decrby),
    counter("incrbyfloat", 3, "2.6.0", "Increment the float value of a key by the given amount",
            "key:key#0 increment:double", incrbyfloat),
};

}  // namespace

std::span<const CommandRow> counter_commands() { return kRows; }

}  // namespace magpie::commands
