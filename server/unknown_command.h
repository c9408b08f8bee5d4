#pragma once

#include <span>
#include <string>

#include "server/commands/command.h"

namespace magpie::server {

/// "ERR unknown command 'x', with args beginning with: 'a' 'b' ", shortened as Redis does.
std::string unknown_command(std::span<const ByteView> arguments);
/// "ERR unknown subcommand 'x'. Try CLIENT HELP."
std::string unknown_subcommand(const commands::Command& parent, ByteView name);

}  // namespace magpie::server
