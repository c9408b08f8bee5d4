#include "protocol/numbers.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cfloat>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace magpie {
namespace {

constexpr std::size_t kMaxLongDoubleText = 5 * 1024;  // Redis's MAX_LONG_DOUBLE_CHARS, with its NUL
constexpr std::size_t kShortText = 256;               // doubles up to here are copied to the stack
constexpr double kExactInteger = 9007199254740992.0;  // 2^53: integers up to here print as they are
// "%.17Lf" of the largest long double: sign, digits, point, 17 decimals, NUL.
static_assert(LDBL_MAX_10_EXP + 1 + 20 < kMaxLongDoubleText);

char lower(char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte; }

// <cctype> would ask the locale, and must not see negative values.
bool is_space(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

/// strtod and its kin on text that ends in NUL; nothing unless all of it is a number in range.
template <class Real, Real (*Convert)(const char*, char**)>
std::optional<Real> convert(const char* text, std::size_t size) {
  if (size == 0 || is_space(text[0])) return std::nullopt;
  errno = 0;
  char* end = nullptr;
  const Real value = Convert(text, &end);
  if (static_cast<std::size_t>(end - text) != size || std::isnan(value)) return std::nullopt;
  // Denormal results set ERANGE too and are taken.
  if (errno == ERANGE && (std::isinf(value) || value == 0)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::int64_t> parse_integer(ByteView text) {
  constexpr std::size_t kMostDigits = 19;  // 10^19 still fits 64 bits without sign
  const bool negative = !text.empty() && text.front() == '-';
  const ByteView digits = text.substr(negative ? 1 : 0);
  if (digits.empty() || digits.size() > kMostDigits) return std::nullopt;
  if (digits.front() == '0') return digits.size() == 1 && !negative ? std::optional<std::int64_t>(0) : std::nullopt;
  std::uint64_t sum = 0;
  for (const char byte : digits) {
    const unsigned digit = static_cast<unsigned char>(byte) - unsigned{'0'};
    if (digit > 9) return std::nullopt;
    sum = sum * 10 + digit;
  }
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (sum > kMost + (negative ? 1 : 0)) return std::nullopt;
  return static_cast<std::int64_t>(negative ? std::uint64_t{0} - sum : sum);
}

std::optional<long double> parse_long_double(ByteView text) {
  std::array<char, kMaxLongDoubleText> copy;
  if (text.empty() || text.size() >= copy.size()) return std::nullopt;
  std::memcpy(copy.data(), text.data(), text.size());
  copy[text.size()] = '\0';
  return convert<long double, std::strtold>(copy.data(), text.size());
}

std::optional<double> parse_double(ByteView text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  // Several times faster than strtod, but it takes less: no plus sign, no hexadecimal.
  if (error == std::errc() && stop == end && !std::isnan(value)) return value;
  std::array<char, kShortText> copy;
  if (text.size() < copy.size()) {
    if (!text.empty()) std::memcpy(copy.data(), text.data(), text.size());
    copy[text.size()] = '\0';
    return convert<double, std::strtod>(copy.data(), text.size());
  }
  return convert<double, std::strtod>(std::string(text).c_str(), text.size());
}

std::size_t format_integer(std::int64_t value, char* out) {
  return static_cast<std::size_t>(std::to_chars(out, out + kIntegerDigits, value).ptr - out);
}

std::string to_decimal(std::int64_t value) {
  std::array<char, kIntegerDigits> digits;
  return {digits.data(), format_integer(value, digits.data())};
}

std::string format_human_long_double(long double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::array<char, kMaxLongDoubleText> text;
  const int written = std::snprintf(text.data(), text.size(), "%.17Lf", value);
  ByteView result(text.data(), static_cast<std::size_t>(std::max(written, 0)));
  if (result.find('.') != ByteView::npos) {
    result = result.substr(0, result.find_last_not_of('0') + 1);
    if (result.ends_with('.')) result.remove_suffix(1);
  }
  return result == "-0" ? "0" : std::string(result);
}

std::size_t format_double(double value, char* out) {
  const auto copy = [out](ByteView text) {
    std::memcpy(out, text.data(), text.size());
    return text.size();
  };
  if (std::isnan(value)) return copy(std::signbit(value) ? "-nan" : "nan");
  if (std::isinf(value)) return copy(value > 0 ? "inf" : "-inf");
  if (std::fabs(value) <= kExactInteger && value == std::trunc(value) && (value != 0 || !std::signbit(value))) {
    return format_integer(static_cast<std::int64_t>(value), out);
  }
  return static_cast<std::size_t>(std::to_chars(out, out + kDoubleChars, value, std::chars_format::general, 17).ptr -
                                  out);
}

std::string format_double(double value) {
  std::array<char, kDoubleChars> text;
  return {text.data(), format_double(value, text.data())};
}

bool equals_ignore_case(ByteView a, ByteView b) {
  return std::ranges::equal(a, b, [](char left, char right) { return lower(left) == lower(right); });
}

std::optional<std::uint64_t> parse_memory_size(ByteView text) {
  struct Unit {
    ByteView name;
    std::uint64_t bytes;
  };
  static constexpr std::array<Unit, 8> kUnits{{{"", 1},
                                               {"b", 1},
                                               {"k", 1000},
                                               {"kb", 1024},
                                               {"m", 1000 * 1000},
                                               {"mb", 1024 * 1024},
                                               {"g", 1000 * 1000 * 1000},
                                               {"gb", 1024 * 1024 * 1024}}};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const ByteView name = text.substr(digits);
  const auto* unit =
      std::ranges::find_if(kUnits, [&](const Unit& each) { return equals_ignore_case(each.name, name); });
  if (unit == kUnits.end()) return std::nullopt;
  std::uint64_t value = 0;
  if (digits != 0 && std::from_chars(text.data(), text.data() + digits, value).ec != std::errc()) return std::nullopt;
  if (value > std::numeric_limits<std::uint64_t>::max() / unit->bytes) return std::nullopt;
  return value * unit->bytes;
}

}  // namespace magpie
