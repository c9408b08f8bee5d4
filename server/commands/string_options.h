#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "server/commands/command.h"
#include "server/commands/value_condition.h"
#include "server/engine/instant.h"

namespace magpie::commands {

/// What the key must be for a write to happen (NX, XX).
enum class Existence : std::uint8_t { Any, Missing, Present };

/// What becomes of the expiry: the option's word. None takes it away where a value is set, leaves it in GETEX. Those
/// that come with a time stand last.
enum class Lifetime : std::uint8_t { None, Keep, Persist, Seconds, Milliseconds, AtSecond, AtMillisecond };

/// The options of SET, GETEX and MSETEX. Borrows the arguments.
struct StringOptions {
  Existence existence = Existence::Any;
  std::optional<ValueCondition> condition;
  bool get = false;
  Lifetime lifetime = Lifetime::None;
  ByteView time;
};

/// Kinds of options, one bit each: which of them a command takes.
using OptionKinds = std::uint32_t;
inline constexpr OptionKinds kTimeOption = 1U << 0;
inline constexpr OptionKinds kKeepOption = 1U << 1;
inline constexpr OptionKinds kPersistOption = 1U << 2;
inline constexpr OptionKinds kExistenceOption = 1U << 3;
inline constexpr OptionKinds kComparisonOption = 1U << 4;
inline constexpr OptionKinds kGetOption = 1U << 5;

/// Reads all that is left; what does not fit is latched as an error. Times are not looked at yet: a command may find
/// that there is no key first.
StringOptions read_options(ArgReader& args, OptionKinds kinds);

/// The moment that a time argument means. `command` names the command in the error.
std::expected<Instant, CommandError> expiry_of(Lifetime lifetime, ByteView time, Instant now, ByteView command);
/// The same of options; nothing if they have no time.
std::expected<std::optional<Instant>, CommandError> expiry_of(const StringOptions& options, Instant now,
                                                              ByteView command);

}  // namespace magpie::commands
