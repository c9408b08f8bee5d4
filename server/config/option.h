#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <variant>

#include "protocol/bytes.h"
#include "server/config/settings.h"

namespace magpie::config {

/// The values of a directive. Borrowed; they live as long as the call.
using Arguments = std::span<const std::string>;

/// Where a value comes from: in a file, repeated `save` lines add up; CONFIG SET replaces.
enum class Origin : std::uint8_t { File, Set };

inline constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int64_t kInt32Min = std::numeric_limits<std::int32_t>::min();
inline constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kUint32Max = std::numeric_limits<std::uint32_t>::max();

struct Option;

// The kinds of values. Ranges are inclusive.
struct Boolean {};
struct Integer {
  std::int64_t low = 0;
  std::int64_t high = kInt32Max;
  /// What is taken but has no use is brought to the nearest useful value, as Redis does with hz.
  std::int64_t clamp_low = std::numeric_limits<std::int64_t>::min();
  std::int64_t clamp_high = kInt64Max;
};
struct Octal {
  std::int64_t low = 0;
  std::int64_t high = 0777;
};
struct MemorySize {
  std::int64_t low = 0;
  std::int64_t high = kInt64Max;
  bool percent = false;  // also takes 0% to 100%
};
/// The position of a name is the value of the enumerator.
struct Choice {
  std::span<const ByteView> names;
};
struct Text {};
/// Anything else: a pair of functions. `assign` answers with Redis's text for CONFIG SET.
struct Custom {
  std::expected<void, std::string> (*assign)(Settings&, const Option&, Arguments, Origin) = nullptr;
  std::string (*format)(const Settings&, const Option&) = nullptr;
  ByteView type;        // for the reference: "addresses"
  ByteView allowed;     // for errors: "up to 16 addresses"
  bool several = true;  // takes more than one argument
};
using Kind = std::variant<Boolean, Integer, Octal, MemorySize, Choice, Text, Custom>;

/// A value between the text and the member of Settings; choices are their index.
using Value = std::variant<bool, std::int64_t, std::string>;

struct Access {
  Value (*read)(const Settings&) = nullptr;
  void (*write)(Settings&, const Value&) = nullptr;
};

/// Access to one member of Settings: field<&Settings::port>().
template <auto Member>
constexpr Access field() {
  using Type = std::remove_cvref_t<decltype(std::declval<Settings&>().*Member)>;
  if constexpr (std::is_enum_v<Type>) {
    return {[](const Settings& settings) -> Value { return static_cast<std::int64_t>(settings.*Member); },
            [](Settings& settings, const Value& value) {
              if (const auto* index = std::get_if<std::int64_t>(&value)) settings.*Member = static_cast<Type>(*index);
            }};
  } else {
    return {[](const Settings& settings) -> Value { return settings.*Member; },
            [](Settings& settings, const Value& value) {
              if (const auto* typed = std::get_if<Type>(&value)) settings.*Member = *typed;
            }};
  }
}

enum class Change : std::uint8_t {
  Runtime,    // CONFIG SET may change it
  AtStart,    // only a file or the command line
  Protected,  // CONFIG SET only if enable-protected-configs allows it
};

enum class Effect : std::uint8_t {
  Works,
  None,     // kept and returned; a file that sets it gets one warning with `reason`
  Refused,  // anything but the default is an error with `reason`: ignoring it would put the user's data at risk
};

/// One row of the option table. All text is static.
struct Option {
  ByteView name{};   // lower case
  ByteView alias{};  // another name of the same value, or empty; CONFIG GET lists both, as Redis does
  Kind kind{};
  ByteView default_text{};  // as CONFIG GET prints it
  Change change = Change::Runtime;
  ByteView help{};  // one line; for options that work
  Effect effect = Effect::Works;
  ByteView reason{};    // one line; for options that do not
  Access access{};      // none: the value is kept as text in Settings::without_effect, or by Custom
  bool hidden = false;  // CONFIG GET answers to its exact name only
};

/// The rows of one subject, in the order of the reference document.
struct Area {
  ByteView title;
  std::span<const Option> options;
};

}  // namespace magpie::config
