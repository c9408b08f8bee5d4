#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace magpie::arbiter {

/// A line of a log: what happened, then its circumstances as name=value; values with other than plain characters stand
/// in quotation marks.
class LogLine {
 public:
  explicit LogLine(std::string_view event) : text_("event=") { text_ += event; }
  LogLine& add(std::string_view name, std::string_view value);
  LogLine& add(std::string_view name, std::uint64_t value) { return add(name, std::to_string(value)); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

enum class LogLevel : std::uint8_t { Notice, Warning, Error };
using Log = std::function<void(LogLevel level, const LogLine& line)>;

}  // namespace magpie::arbiter
