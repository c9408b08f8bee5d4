#pragma once

#include "server/commands/context.h"

namespace magpie::commands {

/// Shows a command to the MONITOR clients, unless its row says that it is not to be shown.
void feed_monitors(CommandContext& context);

}  // namespace magpie::commands
