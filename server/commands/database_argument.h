#pragma once

#include "server/commands/context.h"

namespace magpie::commands {

/// Reads the number of a database as COPY and MOVE take it; a bad one latches. Then the result is database 0.
Db read_database(ArgReader& args, const CommandContext& context);

}  // namespace magpie::commands
