#include "server/config/simple_kinds.h"

#include <algorithm>
#include <charconv>

#include "protocol/numbers.h"

namespace magpie::config {
namespace {

using ValueOrError = std::expected<Value, std::string>;

std::unexpected<std::string> out_of_range(std::int64_t low, std::int64_t high) {
  return std::unexpected("argument must be between " + to_decimal(low) + " and " + to_decimal(high) + " inclusive");
}

std::string format_octal(std::int64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, 8).ptr;
  return {digits, end};
}

ValueOrError parse_boolean(ByteView text) {
  if (equals_ignore_case(text, "yes")) return Value(true);
  if (equals_ignore_case(text, "no")) return Value(false);
  return std::unexpected("argument must be 'yes' or 'no'");
}

ValueOrError parse_number(ByteView text, const Integer& kind) {
  const auto number = parse_integer(text);
  if (!number) return std::unexpected("argument couldn't be parsed into an integer");
  if (*number < kind.low || *number > kind.high) return out_of_range(kind.low, kind.high);
  return Value(std::clamp(*number, kind.clamp_low, kind.clamp_high));
}

ValueOrError parse_octal(ByteView text, const Octal& kind) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 8);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::unexpected("argument couldn't be parsed as an octal number");
  }
  if (number < kind.low || number > kind.high) {
    return std::unexpected("argument must be between " + format_octal(kind.low) + " and " + format_octal(kind.high) +
                           " inclusive");
  }
  return Value(number);
}

ValueOrError parse_memory(ByteView text, const MemorySize& kind) {
  if (kind.percent && text.ends_with('%')) {
    const auto share = parse_integer(text.substr(0, text.size() - 1));
    if (!share || *share < 0) return std::unexpected("argument must be a memory or percent value");
    if (*share > 100) return std::unexpected("percentage argument must be less or equal to 100");
    return Value(-*share);  // Redis's encoding too: a negative number is a share, so 0% is 0
  }
  auto bytes = parse_size(text, kind);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  return Value(*bytes);
}

ValueOrError parse_choice(ByteView text, const Choice& kind) {
  const auto found = std::ranges::find_if(kind.names, [&](ByteView name) { return equals_ignore_case(name, text); });
  if (found != kind.names.end()) return Value(static_cast<std::int64_t>(found - kind.names.begin()));
  return std::unexpected("argument(s) must be one of the following: " + join(kind.names, ", "));
}

template <class Part>
std::string join_parts(std::span<const Part> parts, ByteView separator) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += separator;
    text += parts[i];
  }
  return text;
}

}  // namespace

std::string join(std::span<const ByteView> parts, ByteView separator) { return join_parts(parts, separator); }
std::string join(std::span<const std::string> parts, ByteView separator) { return join_parts(parts, separator); }

std::expected<std::int64_t, std::string> parse_size(ByteView text, const MemorySize& bounds) {
  const auto bytes = parse_memory_size(text);
  if (!bytes) {
    return std::unexpected(bounds.percent ? "argument must be a memory or percent value"
                                          : "argument must be a memory value");
  }
  if (*bytes < static_cast<std::uint64_t>(bounds.low) || *bytes > static_cast<std::uint64_t>(bounds.high)) {
    return out_of_range(bounds.low, bounds.high);
  }
  return static_cast<std::int64_t>(*bytes);
}

ValueOrError parse_value(const Kind& kind, const std::string& text) {
  if (std::holds_alternative<Boolean>(kind)) return parse_boolean(text);
  if (const auto* integer = std::get_if<Integer>(&kind)) return parse_number(text, *integer);
  if (const auto* octal = std::get_if<Octal>(&kind)) return parse_octal(text, *octal);
  if (const auto* memory = std::get_if<MemorySize>(&kind)) return parse_memory(text, *memory);
  if (const auto* choice = std::get_if<Choice>(&kind)) return parse_choice(text, *choice);
  return Value(text);
}

std::string format_value(const Kind& kind, const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "yes" : "no";
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const std::int64_t number = std::get<std::int64_t>(value);
  if (const auto* choice = std::get_if<Choice>(&kind)) {
    return std::string(choice->names[static_cast<std::size_t>(number)]);
  }
  if (std::holds_alternative<Octal>(kind)) return format_octal(number);
  if (const auto* memory = std::get_if<MemorySize>(&kind); memory != nullptr && memory->percent && number < 0) {
    return to_decimal(-number) + '%';
  }
  return to_decimal(number);
}

}  // namespace magpie::config
