#include "server/commands/string_options.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "protocol/numbers.h"

namespace magpie::commands {
namespace {

struct Word {
  ByteView name;
  OptionKinds kind;
  Lifetime lifetime = Lifetime::None;
  Existence existence = Existence::Any;
};

constexpr std::array kWords{
    Word{"EX", kTimeOption, Lifetime::Seconds},
    Word{"PX", kTimeOption, Lifetime::Milliseconds},
    Word{"NX", kExistenceOption, Lifetime::None, Existence::Missing},
    Word{"XX", kExistenceOption, Lifetime::None, Existence::Present},
    Word{"GET", kGetOption},
    Word{"KEEPTTL", kKeepOption, Lifetime::Keep},
    Word{"EXAT", kTimeOption, Lifetime::AtSecond},
    Word{"PXAT", kTimeOption, Lifetime::AtMillisecond},
    Word{"PERSIST", kPersistOption, Lifetime::Persist},
    Word{"IFEQ", kComparisonOption},
    Word{"IFNE", kComparisonOption},
    Word{"IFDEQ", kComparisonOption},
    Word{"IFDNE", kComparisonOption},
};

// A word may be repeated (as in Redis, the last time counts), but not joined with another one of its kind.

bool take_existence(StringOptions& options, Existence existence) {
  if (options.condition || (options.existence != Existence::Any && options.existence != existence)) return false;
  options.existence = existence;
  return true;
}

bool take_lifetime(StringOptions& options, Lifetime lifetime, bool timed, ArgReader& args) {
  if (options.lifetime != Lifetime::None && options.lifetime != lifetime) return false;
  if (timed && args.done()) return false;
  options.lifetime = lifetime;
  if (timed) options.time = args.bytes();
  return true;
}

bool take_condition(StringOptions& options, ByteView word, ArgReader& args) {
  if (options.condition || options.existence != Existence::Any || args.done()) return false;
  options.condition = ValueCondition{*comparison_named(word), args.bytes()};
  return true;
}

bool take(StringOptions& options, const Word& word, ArgReader& args) {
  switch (word.kind) {
    case kTimeOption:
      return take_lifetime(options, word.lifetime, true, args);
    case kKeepOption:
    case kPersistOption:
      return take_lifetime(options, word.lifetime, false, args);
    case kExistenceOption:
      return take_existence(options, word.existence);
    case kComparisonOption:
      return take_condition(options, word.name, args);
    default:
      options.get = true;
      return true;
  }
}

}  // namespace

StringOptions read_options(ArgReader& args, OptionKinds kinds) {
  StringOptions options;
  while (!args.done() && !args.failed()) {
    const ByteView text = args.bytes();
    const auto* const word = std::ranges::find_if(
        kWords, [&](const Word& one) { return (one.kind & kinds) != 0 && equals_ignore_case(one.name, text); });
    if (word == kWords.end() || !take(options, *word, args)) args.fail(ErrorCode::Syntax);
  }
  if (options.condition && !options.condition->well_formed()) args.fail(CommandError(std::string(kMalformedDigest)));
  return options;
}

std::expected<Instant, CommandError> expiry_of(Lifetime lifetime, ByteView time, Instant now, ByteView command) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kMsPerSecond = 1000;
  const auto number = parse_integer(time);
  if (!number) return std::unexpected(CommandError(ErrorCode::NotInteger));
  const std::int64_t unit =
      lifetime == Lifetime::Seconds || lifetime == Lifetime::AtSecond ? kMsPerSecond : std::int64_t{1};
  const bool relative = lifetime == Lifetime::Seconds || lifetime == Lifetime::Milliseconds;
  if (*number <= 0 || *number > kMost / unit || (relative && *number * unit > kMost - now.ms)) {
    return error("ERR invalid expire time in '" + std::string(command) + "' command");
  }
  const std::int64_t due = *number * unit + (relative ? now.ms : 0);
  return Instant{std::max(due, now.ms - 1)};  // a time in the past means now: no key is years too late
}

std::expected<std::optional<Instant>, CommandError> expiry_of(const StringOptions& options, Instant now,
                                                              ByteView command) {
  if (options.lifetime < Lifetime::Seconds) return std::nullopt;
  return expiry_of(options.lifetime, options.time, now, command);
}

}  // namespace magpie::commands
