#include "server/arbiter/log_line.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace magpie::arbiter {
namespace {

bool is_plain(char one) { return one > ' ' && one <= '~' && one != '"' && one != '\\' && one != '='; }

void append_quoted(std::string& to, std::string_view value) {
  to += '"';
  for (const char one : value) {
    if (is_plain(one) || one == ' ' || one == '=') {
      to += one;
    } else if (one == '"' || one == '\\') {
      to += '\\';
      to += one;
    } else {
      std::array<char, 5> code{};  // \x0a
      std::snprintf(code.data(), code.size(), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(one)));
      to += code.data();
    }
  }
  to += '"';
}

}  // namespace

LogLine& LogLine::add(std::string_view name, std::string_view value) {
  text_ += ' ';
  text_ += name;
  text_ += '=';
  if (!value.empty() && std::ranges::all_of(value, is_plain)) {
    text_ += value;
  } else {
    append_quoted(text_, value);
  }
  return *this;
}

}  // namespace magpie::arbiter
