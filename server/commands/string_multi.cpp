#include <array>
#include <limits>
#include <optional>

#include "protocol/numbers.h"
#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/key_groups.h"
#include "server/commands/string_options.h"
#include "server/commands/string_reply.h"

namespace magpie::commands {
namespace {

using engine::Key;
using engine::Put;
using engine::StringValue;

using Pairs = std::span<const ByteView>;

CommandResult mget(CommandContext& context, ArgReader args) {
  context.reply.array(args.remaining());
  visit_keys(context.keys, args.rest(), 1, [&](const Key& key, std::size_t) {
    // A value of another type reads as nil.
    reply_string(context.reply, context.keys.read_string(key).value_or(std::nullopt));
  });
  return {};
}

void put_all(KeyAccess& keys, Pairs pairs, std::optional<Instant> expiry, bool keep_expiry) {
  visit_keys(keys, pairs, 2, [&](const Key& key, std::size_t number) {
    if (keep_expiry) {
      const engine::Entry* const entry = keys.find_untouched(key);
      expiry = entry == nullptr ? std::nullopt : entry->expiry();
    }
    keys.apply(Put{keys.db(), key, StringValue::compact(pairs[number * 2 + 1]), expiry});
  });
}

/// Whether none of the keys exists (Missing), or all of them do (Present).
bool all_are(KeyAccess& keys, Pairs pairs, Existence existence) {
  if (existence == Existence::Any) return true;
  bool all = true;
  visit_keys(keys, pairs, 2, [&](const Key& key, std::size_t) {
    all = all && (keys.find(key) != nullptr) == (existence == Existence::Present);
  });
  return all;
}

std::unexpected<CommandError> odd_pairs(const CommandContext& context) {
  return error("ERR wrong number of arguments for '" + context.command.full_name + "' command");
}

CommandResult mset(CommandContext& context, ArgReader args) {
  const Pairs pairs = args.rest();
  if (pairs.size() % 2 != 0) return odd_pairs(context);
  put_all(context.keys, pairs, std::nullopt, false);
  context.reply.ok();
  return {};
}

CommandResult msetnx(CommandContext& context, ArgReader args) {
  const Pairs pairs = args.rest();
  if (pairs.size() % 2 != 0) return odd_pairs(context);
  const bool sets = all_are(context.keys, pairs, Existence::Missing);
  if (sets) put_all(context.keys, pairs, std::nullopt, false);
  context.reply.integer(sets ? 1 : 0);
  return {};
}

/// MSETEX's number of keys, if it is one that Redis takes.
std::optional<std::size_t> key_count(ByteView argument) {
  const auto count = parse_integer(argument);
  if (!count || *count < 1 || *count > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return static_cast<std::size_t>(*count);
}

CommandResult msetex(CommandContext& context, ArgReader args) {
  const auto count = key_count(args.bytes());
  if (!count) return error("ERR invalid numkeys value");
  if (*count > args.remaining() / 2) return error("ERR wrong number of key-value pairs");
  const Pairs pairs = args.rest().first(*count * 2);
  args.skip(pairs.size());
  const StringOptions options = read_options(args, kTimeOption | kKeepOption | kExistenceOption);
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  auto expiry = expiry_of(options, context.now, context.command.full_name);
  if (!expiry) return std::unexpected(std::move(expiry.error()));
  const bool sets = all_are(context.keys, pairs, options.existence);
  if (sets) put_all(context.keys, pairs, *expiry, options.lifetime == Lifetime::Keep);
  context.reply.integer(sets ? 1 : 0);
  return {};
}

bool find_msetex_keys(std::span<const ByteView> arguments, std::vector<std::uint32_t>& positions) {
  constexpr std::size_t kFirst = 2;
  if (arguments.size() <= kFirst) return false;
  const auto count = key_count(arguments[1]);
  if (!count || *count > (arguments.size() - kFirst) / 2) return false;
  for (std::size_t number = 0; number < *count; ++number) {
    positions.push_back(static_cast<std::uint32_t>(kFirst + number * 2));
  }
  return true;
}

constexpr std::array kMsetexSearch{
    KeySearch{.flags = "OW update", .index = 1, .find = KeySearch::Find::KeyNumber, .step = 2}};

constexpr KeySpec pairs_from_first(KeyFlags flags) { return {.first = 1, .last = -1, .step = 2, .flags = flags}; }

constexpr std::string_view kSetComplexity = "O(N) where N is the number of keys to set.";

constexpr std::array kRows{
    CommandRow{.name = "mget",
               .arity = -2,
               .flags = kReadOnly | kFast,
               .keys = {.first = 1, .last = -1, .step = 1, .flags = "RO access"},
               .categories = kCatString,
               .group = Group::String,
               .since = "1.0.0",
               .summary = "Get the values of all the given keys",
               .complexity = "O(N) where N is the number of keys to retrieve.",
               .handler = mget,
               .tips = "request_policy:multi_shard",
               .arguments = "key:key#0*"},
    CommandRow{.name = "mset",
               .arity = -3,
               .flags = kWrite | kDenyOom,
               .keys = pairs_from_first("OW update"),
               .categories = kCatString,
               .group = Group::String,
               .since = "1.0.1",
               .summary = "Set multiple keys to multiple values",
               .complexity = kSetComplexity,
               .handler = mset,
               .tips = "request_policy:multi_shard response_policy:all_succeeded",
               .arguments = "key_value:block*(key:key#0 value)"},
    CommandRow{.name = "msetnx",
               .arity = -3,
               .flags = kWrite | kDenyOom,
               .keys = pairs_from_first("OW insert"),
               .categories = kCatString,
               .group = Group::String,
               .since = "1.0.1",
               .summary = "Set multiple keys to multiple values, only if none of the keys exist",
               .complexity = kSetComplexity,
               .handler = msetnx,
               .tips = "request_policy:multi_shard response_policy:agg_min",
               .arguments = "key_value:block*(key:key#0 value)"},
    CommandRow{.name = "msetex",
               .arity = -4,
               .flags = kWrite | kDenyOom | kMovableKeys,
               .keys = {.flags = "OW update", .find = find_msetex_keys, .searches = kMsetexSearch},
               .categories = kCatString,
               .group = Group::String,
               .since = "8.4.0",
               .summary = "Atomically sets multiple string keys with a shared expiration in a single operation.",
               .complexity = kSetComplexity,
               .handler = msetex,
               .arguments =
                   "numkeys:integer data:block*(key:key#0 value) condition:oneof?(nx:pure-token=NX xx:pure-token=XX) "
                   "expiration:oneof?(seconds:integer=EX milliseconds:integer=PX unix-time-seconds:unix-time=EXAT "
                   "unix-time-milliseconds:unix-time=PXAT keepttl:pure-token=KEEPTTL)"},
};

}  // namespace

std::span<const CommandRow> string_multi_commands() { return kRows; }

}  // namespace magpie::commands
