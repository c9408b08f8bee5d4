#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "protocol/bytes.h"
#include "server/engine/string_value.h"

namespace magpie::commands {

/// How SET and DELEX compare the value that is there: itself (IFEQ, IFNE) or its digest (IFDEQ, IFDNE).
enum class Comparison : std::uint8_t { Equal, NotEqual, DigestEqual, DigestNotEqual };

/// The comparison of this name, in any case.
std::optional<Comparison> comparison_named(ByteView word);

inline constexpr std::size_t kDigestDigits = 16;
/// XXH3 (64 bits, seed 0) of a string as lower-case hexadecimal digits: what DIGEST answers.
std::array<char, kDigestDigits> digest_of(ByteView text);

/// A comparison with its operand, which is borrowed.
struct ValueCondition {
  Comparison comparison = Comparison::Equal;
  ByteView operand;

  /// False for a digest that no value can have.
  bool well_formed() const;
  /// A missing value equals nothing.
  bool holds(const std::optional<engine::StringValue>& value) const;
};
inline constexpr const char* kMalformedDigest = "ERR digest must be exactly 16 hexadecimal characters";

}  // namespace magpie::commands
