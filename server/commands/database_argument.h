#pragma once

#include "server/commands/context.h"

namespace magpie::commands {

/// Reads the number of a database (SELECT, COPY, MOVE); a bad one latches, and then the result is database 0.
Db read_database(ArgReader& args, const CommandContext& context);

}  // namespace magpie::commands
