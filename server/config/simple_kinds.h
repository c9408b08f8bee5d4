#pragma once

#include <expected>
#include <span>
#include <string>

#include "server/config/option.h"

namespace magpie::config {

/// The value of a kind that is not Custom; the error is Redis's text.
std::expected<Value, std::string> parse_value(const Kind& kind, const std::string& text);
/// The inverse: what CONFIG GET prints.
std::string format_value(const Kind& kind, const Value& value);

std::string join(std::span<const ByteView> parts, ByteView separator);
std::string join(std::span<const std::string> parts, ByteView separator);

/// The bytes of a memory size, if they fit a signed 64-bit integer.
std::expected<std::int64_t, std::string> parse_size(ByteView text, const MemorySize& bounds);

}  // namespace magpie::config
