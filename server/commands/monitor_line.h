#pragma once

#include <span>
#include <string>

#include "server/commands/context.h"

namespace magpie::commands {

/// Shows a command that has run to the MONITOR clients, unless its row says that it is not to be shown.
void feed_monitors(CommandContext& context);

/// 1700000000.123456 [0 127.0.0.1:50000] "get" "k"
std::string monitor_line(const server::ClientState& client, const config::Settings& settings,
                         std::span<const ByteView> arguments);

}  // namespace magpie::commands
