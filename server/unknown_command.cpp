#include "server/unknown_command.h"

#include <algorithm>

namespace magpie::server {
namespace {
constexpr std::size_t kShown = 128;

/// As Redis prints an argument with %s: up to a NUL, and at most `room` bytes.
std::string printed(ByteView argument, std::size_t room) {
  return std::string(argument.substr(0, argument.find('\0')).substr(0, room));
}

}  // namespace

std::string unknown_command(std::span<const ByteView> arguments) {
  std::string shown;
  for (std::size_t i = 1; i < arguments.size() && shown.size() < kShown; ++i) {
    const std::size_t room = kShown - shown.size();
    shown += "'" + printed(arguments[i], room) + "' ";
  }
  return "ERR unknown command '" + printed(arguments[0], kShown) + "', with args beginning with: " + shown;
}

std::string unknown_subcommand(const commands::Command& parent, ByteView name) {
  std::string upper(parent.row->name);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return "ERR unknown subcommand '" + printed(name, kShown) + "'. Try " + upper + " HELP.";
}

}  // namespace magpie::server
