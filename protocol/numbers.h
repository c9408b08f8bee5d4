#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "protocol/bytes.h"

namespace magpie {

/// A signed 64-bit integer in the only form Redis takes: no spaces, no plus sign, no leading zeros, no "-0".
std::optional<std::int64_t> parse_integer(ByteView text);

/// As Redis reads long double arguments (strtold, the whole text, less than 5 KB, no leading space, no NaN, neither
/// overflow nor underflow to zero); hexadecimal and "inf" are taken, as there.
std::optional<long double> parse_long_double(ByteView text);
/// As Redis reads double arguments: likewise, but of any length.
std::optional<double> parse_double(ByteView text);

/// Room for any 64-bit integer in decimal.
inline constexpr std::size_t kIntegerDigits = 20;
/// Writes `value` in decimal to `out` (kIntegerDigits bytes) and returns its length. Fast: replies use it.
std::size_t format_integer(std::int64_t value, char* out);
std::string to_decimal(std::int64_t value);

/// INCRBYFLOAT's form ("%.17Lf" without trailing zeros; inf and -inf).
std::string format_human_long_double(long double value);
/// Room for format_double(): sign, 17 digits, point, exponent.
inline constexpr std::size_t kDoubleChars = 32;
/// The form of a double reply ("%.17g"; inf, -inf, nan, -nan), written to `out` (kDoubleChars bytes); returns its
/// length.
std::size_t format_double(double value, char* out);
std::string format_double(double value);

/// ASCII only, independent of locale.
bool equals_ignore_case(ByteView a, ByteView b);

/// Redis's glob: * ? [a-z] [^...] and \ to escape, on bytes; with its oddities (an empty text matches only an empty
/// pattern, an escaped letter in a class keeps its case). Takes at most pattern times text steps.
bool glob_match(ByteView pattern, ByteView text, bool ignore_case = false);

/// A size with its unit as redis.conf takes it: 100, 100b, 1k (1000), 1kb (1024), m, mb, g, gb; any case.
/// No digits at all count as 0, as there; what does not fit 64 bits is refused (Redis lets it wrap around).
std::optional<std::uint64_t> parse_memory_size(ByteView text);

}  // namespace magpie
