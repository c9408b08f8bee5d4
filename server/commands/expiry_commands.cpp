// EXPIRE and its kin, TTL and its kin, PERSIST.

#include <array>
#include <limits>
#include <optional>
#include <string>

#include "server/commands/command_table.h"
#include "server/commands/context.h"

namespace magpie::commands {
namespace {

using engine::Entry;
using engine::Erase;
using engine::Key;
using engine::SetExpiry;

constexpr std::int64_t kMsPerSecond = 1000;

enum class Unit : std::uint8_t { Seconds, Milliseconds };
enum class From : std::uint8_t { Now, Epoch };

/// NX, XX, GT, LT.
struct Conditions {
  bool without_expiry = false;
  bool with_expiry = false;
  bool greater = false;
  bool less = false;

  /// Whether a key with the expiry `current` may get `next`. No expiry counts as later than any.
  bool allow(std::optional<Instant> current, Instant next) const {
    if (without_expiry && current) return false;
    if (with_expiry && !current) return false;
    if (greater && (!current || next <= *current)) return false;
    return !less || !current || next < *current;
  }
};

Conditions read_conditions(ArgReader& args) {
  Conditions wanted;
  while (!args.done() && !args.failed()) {
    if (args.keyword("nx")) {
      wanted.without_expiry = true;
    } else if (args.keyword("xx")) {
      wanted.with_expiry = true;
    } else if (args.keyword("gt")) {
      wanted.greater = true;
    } else if (args.keyword("lt")) {
      wanted.less = true;
    } else {
      const ByteView word = args.bytes();
      args.fail(CommandError("ERR Unsupported option " + std::string(word.substr(0, word.find('\0')))));
    }
  }
  if (wanted.without_expiry && (wanted.with_expiry || wanted.greater || wanted.less)) {
    args.fail(CommandError(std::string("ERR NX and XX, GT or LT options at the same time are not compatible")));
  } else if (wanted.greater && wanted.less) {
    args.fail(CommandError(std::string("ERR GT and LT options at the same time are not compatible")));
  }
  return wanted;
}

/// The time that a client's number means, or nothing if it does not fit 64 bits.
std::optional<Instant> instant_of(std::int64_t number, Unit unit, std::int64_t base_ms) {
  using Limits = std::numeric_limits<std::int64_t>;
  if (unit == Unit::Seconds) {
    if (number > Limits::max() / kMsPerSecond || number < Limits::min() / kMsPerSecond) return std::nullopt;
    number *= kMsPerSecond;
  }
  if (number > Limits::max() - base_ms) return std::nullopt;
  return Instant{number + base_ms};
}

/// EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT. Options are checked before the number, as in Redis.
template <Unit GivenIn, From CountedFrom>
CommandResult expire(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const ByteView when = args.bytes();
  const Conditions conditions = read_conditions(args);
  if (auto wrong = args.check()) return std::unexpected(std::move(*wrong));
  const auto number = parse_integer(when);
  if (!number) return error(ErrorCode::NotInteger);
  const auto due = instant_of(*number, GivenIn, CountedFrom == From::Now ? context.now.ms : 0);
  if (!due) return error("ERR invalid expire time in '" + context.command.full_name + "' command");

  const Entry* entry = context.keys.find(key);
  if (entry == nullptr || !conditions.allow(entry->expiry(), *due)) {
    context.reply.integer(0);
    return {};
  }
  if (*due <= context.now) {
    context.keys.apply(Erase{context.keys.db(), key});
  } else {
    context.keys.apply(SetExpiry{context.keys.db(), key, due});
  }
  context.reply.integer(1);
  return {};
}

/// To the nearest second; without a sign, so that the last half second of 64 bits does not overflow.
std::int64_t rounded_seconds(std::int64_t ms) {
  return static_cast<std::int64_t>((static_cast<std::uint64_t>(ms) + kMsPerSecond / 2) / kMsPerSecond);
}

/// TTL, PTTL, EXPIRETIME, PEXPIRETIME.
template <Unit GivenIn, From CountedFrom>
CommandResult show_expiry(CommandContext& context, ArgReader args) {
  constexpr std::int64_t kNoKey = -2;
  constexpr std::int64_t kNoExpiry = -1;
  const Key key = context.keys.key(args.bytes());
  const Entry* entry = context.keys.read_untouched(key);
  if (entry == nullptr || !entry->expiry()) {
    context.reply.integer(entry == nullptr ? kNoKey : kNoExpiry);
    return {};
  }
  const std::int64_t ms = entry->expiry()->ms - (CountedFrom == From::Now ? context.now.ms : 0);
  context.reply.integer(GivenIn == Unit::Seconds ? rounded_seconds(ms) : ms);
  return {};
}

CommandResult persist(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const Entry* entry = context.keys.find(key);
  const bool had_expiry = entry != nullptr && entry->expiry().has_value();
  if (had_expiry) context.keys.apply(SetExpiry{context.keys.db(), key, std::nullopt});
  context.reply.integer(had_expiry ? 1 : 0);
  return {};
}

/// What EXPIRE and its kin have in common.
struct Setter {
  std::string_view name;
  std::string_view since;
  std::string_view summary;
  Handler handler;
  std::string_view arguments;
};

constexpr CommandRow row_of(const Setter& setter) {
  return {.name = setter.name,
          .arity = -3,
          .flags = kWrite | kFast,
          .keys = one_key("RW update"),
          .categories = kCatKeyspace,
          .group = Group::Generic,
          .since = setter.since,
          .summary = setter.summary,
          .complexity = "O(1)",
          .handler = setter.handler,
          .arguments = setter.arguments,
          .history = "7.0.0 Added options: `NX`, `XX`, `GT` and `LT`."};
}

/// What TTL and its kin have in common. A time to live is another one whenever it is asked for.
struct Getter {
  std::string_view name;
  std::string_view since;
  std::string_view summary;
  Handler handler;
  bool deterministic;
  std::string_view history = "";
};

constexpr CommandRow row_of(const Getter& getter) {
  return {.name = getter.name,
          .arity = 2,
          .flags = kReadOnly | kFast,
          .keys = one_key("RO access"),
          .categories = kCatKeyspace,
          .group = Group::Generic,
          .since = getter.since,
          .summary = getter.summary,
          .complexity = "O(1)",
          .handler = getter.handler,
          .tips = getter.deterministic ? "" : "nondeterministic_output",
          .arguments = "key:key#0",
          .history = getter.history};
}

constexpr std::string_view kLessThanZero = "2.8.0 Added the -2 reply.";

constexpr std::array kRows{
    row_of(Setter{"expire", "1.0.0", "Set a key's time to live in seconds", expire<Unit::Seconds, From::Now>,
                  "key:key#0 seconds:integer condition:oneof?@7.0.0(nx:pure-token=NX xx:pure-token=XX "
                  "gt:pure-token=GT lt:pure-token=LT)"}),
    row_of(Setter{"expireat", "1.2.0", "Set the expiration for a key as a UNIX timestamp",
                  expire<Unit::Seconds, From::Epoch>,
                  "key:key#0 unix-time-seconds:unix-time condition:oneof?@7.0.0(nx:pure-token=NX xx:pure-token=XX "
                  "gt:pure-token=GT lt:pure-token=LT)"}),
    row_of(Getter{"expiretime", "7.0.0", "Get the expiration Unix timestamp for a key",
                  show_expiry<Unit::Seconds, From::Epoch>, true}),
    CommandRow{.name = "persist",
               .arity = 2,
               .flags = kWrite | kFast,
               .keys = one_key("RW update"),
               .categories = kCatKeyspace,
               .group = Group::Generic,
               .since = "2.2.0",
               .summary = "Remove the expiration from a key",
               .complexity = "O(1)",
               .handler = persist,
               .arguments = "key:key#0"},
    row_of(Setter{"pexpire", "2.6.0", "Set a key's time to live in milliseconds", expire<Unit::Milliseconds, From::Now>,
                  "key:key#0 milliseconds:integer condition:oneof?@7.0.0(nx:pure-token=NX xx:pure-token=XX "
                  "gt:pure-token=GT lt:pure-token=LT)"}),
    row_of(Setter{"pexpireat", "2.6.0", "Set the expiration for a key as a UNIX timestamp specified in milliseconds",
                  expire<Unit::Milliseconds, From::Epoch>,
                  "key:key#0 unix-time-milliseconds:unix-time condition:oneof?@7.0.0(nx:pure-token=NX "
                  "xx:pure-token=XX gt:pure-token=GT lt:pure-token=LT)"}),
    row_of(Getter{"pexpiretime", "7.0.0", "Get the expiration Unix timestamp for a key in milliseconds",
                  show_expiry<Unit::Milliseconds, From::Epoch>, true}),
    row_of(Getter{"pttl", "2.6.0", "Get the time to live for a key in milliseconds",
                  show_expiry<Unit::Milliseconds, From::Now>, false, kLessThanZero}),
    row_of(Getter{"ttl", "1.0.0", "Get the time to live for a key in seconds", show_expiry<Unit::Seconds, From::Now>,
                  false, kLessThanZero}),
};

}  // namespace

std::span<const CommandRow> expiry_commands() { return kRows; }

}  // namespace magpie::commands
