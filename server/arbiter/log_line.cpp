#include "server/arbiter/log_line.h"

#include <algorithm>

#include "protocol/printable.h"

namespace magpie::arbiter {
namespace {

constexpr std::size_t kMostOfValue = 1000;  // bytes; a peer may have told it

bool is_plain(char one) { return one > ' ' && one <= '~' && one != '"' && one != '\\' && one != '='; }

void append_quoted(std::string& to, std::string_view value) {
  to += '"';
  for (const char one : value) {
    if (one == '"' || one == '\\') to += '\\';
    append_printable(to, one);
  }
  to += '"';
}

}  // namespace

LogLine& LogLine::add(std::string_view name, std::string_view value) {
  text_ += ' ';
  text_ += name;
  text_ += '=';
  const bool cut = value.size() > kMostOfValue;
  value = value.substr(0, kMostOfValue);
  if (!value.empty() && std::ranges::all_of(value, is_plain)) {
    text_ += value;
  } else {
    append_quoted(text_, value);
  }
  if (cut) text_ += "...";
  return *this;
}

}  // namespace magpie::arbiter
