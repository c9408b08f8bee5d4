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

/// As Redis reads long double arguments (strtold, the whole text, at most 255 bytes, no leading space, no NaN);
/// hexadecimal and "inf" are taken, as there.
std::optional<long double> parse_long_double(ByteView text);
/// As Redis reads double arguments.
std::optional<double> parse_double(ByteView text);

/// Room for any 64-bit integer in decimal.
inline constexpr std::size_t kIntegerDigits = 20;
/// Writes `value` in decimal to `out` (kIntegerDigits bytes) and returns its length. Fast: replies use it.
std::size_t format_integer(std::int64_t value, char* out);
std::string to_decimal(std::int64_t value);

/// INCRBYFLOAT's form ("%.17Lf" without trailing zeros; inf and -inf).
std::string format_human_long_double(long double value);
/// The form of a double reply ("%.17g"; inf, -inf, nan).
std::string format_double(double value);

/// ASCII only, independent of locale.
bool equals_ignore_case(ByteView a, ByteView b);

/// Redis's glob: * ? [a-z] [^...] and \ to escape, on bytes. Bounded: nesting cannot make it exponential.
bool glob_match(ByteView pattern, ByteView text, bool ignore_case = false);

/// A size with its unit as redis.conf takes it: 100, 100b, 1k (1000), 1kb (1024), m, mb, g, gb; any case.
std::optional<std::uint64_t> parse_memory_size(ByteView text);

}  // namespace magpie
