#pragma once

#include <span>
#include <string_view>

#include "server/commands/context.h"

namespace magpie::commands {

/// The reply of a container's HELP subcommand: usage, then `lines`, then HELP itself.
CommandResult reply_help(CommandContext& context, std::span<const std::string_view> lines);

/// The error of a subcommand that exists but not with so many arguments.
CommandResult wrong_subcommand(const CommandContext& context);

/// Whether the client connects from this machine.
bool is_local(const server::ClientState& client);

}  // namespace magpie::commands
