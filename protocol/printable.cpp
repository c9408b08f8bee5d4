#include "protocol/printable.h"

#include <array>
#include <cstdio>

namespace magpie {

void append_printable(std::string& to, char byte) {
  if (byte >= ' ' && byte <= '~') {
    to += byte;
    return;
  }
  std::array<char, 5> code{};  // \x0a
  std::snprintf(code.data(), code.size(), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
  to += code.data();
}

std::string printable(ByteView told, std::size_t most) {
  std::string text;
  for (const char byte : told.substr(0, most)) append_printable(text, byte);
  if (told.size() > most) text += "...";
  return text;
}

}  // namespace magpie
