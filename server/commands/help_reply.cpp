#include "server/commands/help_reply.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace magpie::commands {
namespace {

std::string container_name(const CommandContext& context) {
  const Command& command = context.command;
  std::string name(command.parent != nullptr ? command.parent->row->name : command.row->name);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

}  // namespace

CommandResult reply_help(CommandContext& context, std::span<const std::string_view> lines) {
  context.reply.array(lines.size() + 3);
  context.reply.simple(container_name(context) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const std::string_view line : lines) context.reply.simple(line);
  context.reply.simple("HELP");
  context.reply.simple("    Prints this help.");
  return {};
}

CommandResult wrong_subcommand(const CommandContext& context) {
  constexpr std::size_t kShown = 128;
  return error("ERR unknown subcommand or wrong number of arguments for '" +
               std::string(context.argv[1].substr(0, kShown)) + "'. Try " + container_name(context) + " HELP.");
}

bool is_local(const server::ClientState& client) {
  return client.unix_socket || client.peer_address.starts_with("127.") || client.peer_address.starts_with("[::1]");
}

}  // namespace magpie::commands
