#include <algorithm>
#include <array>

#include "protocol/numbers.h"
#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/string_options.h"
#include "server/commands/string_reply.h"

namespace magpie::commands {
namespace {

using engine::Entry;
using engine::Erase;
using engine::Key;
using engine::Put;
using engine::SetExpiry;
using engine::StringValue;

/// The entry as the options want it looked up: GET reads, a condition that may fail counts as an access, and a write
/// marks the access by itself.
const Entry* look_up(KeyAccess& keys, const Key& key, const StringOptions& options) {
  if (options.get) return keys.read(key);
  if (options.condition || options.existence == Existence::Missing) return keys.find(key);
  if (options.existence == Existence::Present || options.lifetime == Lifetime::Keep) return keys.find_untouched(key);
  return nullptr;
}

/// Whether the options let the write happen. `old` is what stands at the key, if it is a string.
bool permitted(const StringOptions& options, const Entry* entry, const std::optional<StringValue>& old) {
  if (options.condition) return options.condition->holds(old);
  return options.existence == Existence::Any || (options.existence == Existence::Present) == (entry != nullptr);
}

/// Apart from set(), which stays small for it.
[[gnu::noinline]] CommandResult set_with_options(CommandContext& context, const Key& key, ByteView value,
                                                 ArgReader& args) {
  const StringOptions options =
      read_options(args, kTimeOption | kKeepOption | kExistenceOption | kComparisonOption | kGetOption);
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  auto expiry = expiry_of(options, context.now, context.command.full_name);
  if (!expiry) return std::unexpected(std::move(expiry.error()));
  const Entry* const entry = look_up(context.keys, key, options);
  KeyAccess::OptionalString old;  // stays empty where its type does not matter
  if (options.get || options.condition) old = KeyAccess::string_of(entry);
  if (!old) return std::unexpected(std::move(old.error()));
  const bool allowed = permitted(options, entry, *old);
  if (allowed && options.lifetime == Lifetime::Keep && entry != nullptr) *expiry = entry->expiry();
  if (options.get) {
    reply_string(context.reply, *old);  // before the value goes
  } else if (allowed) {
    context.reply.ok();
  } else {
    context.reply.null();
  }
  if (allowed) context.keys.apply(Put{context.keys.db(), key, StringValue::compact(value), *expiry});
  return {};
}

/// Without options there is nothing to look up: one hash, one effect.
CommandResult set(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const ByteView value = args.bytes();
  if (!args.done()) return set_with_options(context, key, value, args);
  context.keys.apply(Put{context.keys.db(), key, StringValue::compact(value), std::nullopt});
  context.reply.ok();
  return {};
}

CommandResult set_for(CommandContext& context, ArgReader& args, Lifetime unit) {
  const Key key = context.keys.key(args.bytes());
  const ByteView time = args.bytes();
  const ByteView value = args.bytes();
  auto expiry = expiry_of(unit, time, context.now, context.command.full_name);
  if (!expiry) return std::unexpected(std::move(expiry.error()));
  context.keys.apply(Put{context.keys.db(), key, StringValue::compact(value), *expiry});
  context.reply.ok();
  return {};
}

CommandResult setex(CommandContext& context, ArgReader args) { return set_for(context, args, Lifetime::Seconds); }
CommandResult psetex(CommandContext& context, ArgReader args) { return set_for(context, args, Lifetime::Milliseconds); }

CommandResult setnx(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const bool missing = context.keys.find(key) == nullptr;
  if (missing) {
    context.keys.apply(Put{context.keys.db(), key, StringValue::compact(args.bytes()), std::nullopt});
  }
  context.reply.integer(missing ? 1 : 0);
  return {};
}

CommandResult getset(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  auto old = context.keys.read_string(key);
  if (!old) return std::unexpected(std::move(old.error()));
  reply_string(context.reply, *old);
  context.keys.apply(Put{context.keys.db(), key, StringValue::compact(args.bytes()), std::nullopt});
  return {};
}

/// A time in the past deletes at once; without options nothing changes.
CommandResult getex(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const StringOptions options = read_options(args, kTimeOption | kPersistOption);
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  const Entry* const entry = context.keys.read(key);
  auto value = KeyAccess::string_of(entry);
  if (!value) return std::unexpected(std::move(value.error()));
  if (entry == nullptr) {  // as in Redis, the time is not looked at then
    context.reply.null();
    return {};
  }
  auto expiry = expiry_of(options, context.now, context.command.full_name);
  if (!expiry) return std::unexpected(std::move(expiry.error()));
  reply_string(context.reply, *value);
  if (*expiry && **expiry <= context.now) {
    context.keys.apply(Erase{context.keys.db(), key});
  } else if (*expiry || (options.lifetime == Lifetime::Persist && entry->expiry())) {
    context.keys.apply(SetExpiry{context.keys.db(), key, *expiry});
  }
  return {};
}

/// SET reads its key only where an option asks for it.
KeyFlags set_key_flags(std::span<const ByteView> arguments) {
  constexpr std::size_t kOptions = 3;
  const bool reads = arguments.size() > kOptions && std::ranges::any_of(arguments.subspan(kOptions), [](ByteView word) {
                       return equals_ignore_case(word, "GET") || comparison_named(word);
                     });
  return reads ? "RW access update" : "OW update";
}

constexpr std::array kRows{
    CommandRow{.name = "set",
               .arity = -3,
               .flags = kWrite | kDenyOom,
               .keys = {.first = 1,
                        .last = 1,
                        .step = 1,
                        .flags = "RW access update variable_flags",
                        .notes = "RW and ACCESS due to the optional `GET` argument",
                        .variable = set_key_flags},
               .categories = kCatString,
               .group = Group::String,
               .since = "1.0.0",
               .summary = "Set the string value of a key",
               .complexity = "O(1)",
               .handler = set,
               .arguments =
                   "key:key#0 value condition:oneof?@2.6.12(nx:pure-token=NX xx:pure-token=XX ifeq-value=IFEQ@8.1.0 "
                   "ifne-value=IFNE@8.4.0 ifdeq-digest:integer=IFDEQ@8.4.0 ifdne-digest:integer=IFDNE@8.4.0) "
                   "get:pure-token=GET?@6.2.0 expiration:oneof?(seconds:integer=EX@2.6.12 "
                   "milliseconds:integer=PX@2.6.12 unix-time-seconds:unix-time=EXAT@6.2.0 "
                   "unix-time-milliseconds:unix-time=PXAT@6.2.0 keepttl:pure-token=KEEPTTL@6.0.0)",
               .history = "2.6.12 Added the `EX`, `PX`, `NX` and `XX` options.\n"
                          "6.0.0 Added the `KEEPTTL` option.\n"
                          "6.2.0 Added the `GET`, `EXAT` and `PXAT` option.\n"
                          "7.0.0 Allowed the `NX` and `GET` options to be used together."},
    CommandRow{.name = "setex",
               .arity = 4,
               .flags = kWrite | kDenyOom,
               .keys = one_key("OW update"),
               .categories = kCatString,
               .group = Group::String,
               .since = "2.0.0",
               .summary = "Set the value and expiration of a key",
               .complexity = "O(1)",
               .handler = setex,
               .arguments = "key:key#0 seconds:integer value"},
    CommandRow{.name = "psetex",
               .arity = 4,
               .flags = kWrite | kDenyOom,
               .keys = one_key("OW update"),
               .categories = kCatString,
               .group = Group::String,
               .since = "2.6.0",
               .summary = "Set the value and expiration in milliseconds of a key",
               .complexity = "O(1)",
               .handler = psetex,
               .arguments = "key:key#0 milliseconds:integer value"},
    CommandRow{.name = "setnx",
               .arity = 3,
               .flags = kWrite | kDenyOom | kFast,
               .keys = one_key("OW insert"),
               .categories = kCatString,
               .group = Group::String,
               .since = "1.0.0",
               .summary = "Set the value of a key, only if the key does not exist",
               .complexity = "O(1)",
               .handler = setnx,
               .arguments = "key:key#0 value"},
    CommandRow{.name = "getset",
               .arity = 3,
               .flags = kWrite | kDenyOom | kFast,
               .keys = one_key("RW access update"),
               .categories = kCatString,
               .group = Group::String,
               .since = "1.0.0",
               .summary = "Set the string value of a key and return its old value",
               .complexity = "O(1)",
               .handler = getset,
               .arguments = "key:key#0 value",
               .deprecated_since = "6.2.0",
               .replaced_by = "`SET` with the `!GET` argument"},
    CommandRow{
        .name = "getex",
        .arity = -2,
        .flags = kWrite | kFast,
        .keys = {.first = 1,
                 .last = 1,
                 .step = 1,
                 .flags = "RW access update",
                 .notes = "RW and UPDATE because it changes the TTL"},
        .categories = kCatString,
        .group = Group::String,
        .since = "6.2.0",
        .summary = "Get the value of a key and optionally set its expiration",
        .complexity = "O(1)",
        .handler = getex,
        .arguments =
            "key:key#0 expiration:oneof?(seconds:integer=EX milliseconds:integer=PX unix-time-seconds:unix-time=EXAT "
            "unix-time-milliseconds:unix-time=PXAT persist:pure-token=PERSIST)"},
};

}  // namespace

std::span<const CommandRow> string_set_commands() { return kRows; }

}  // namespace magpie::commands
