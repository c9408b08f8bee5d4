#pragma once

#include "server/commands/context.h"

namespace magpie::commands {

/// Reads the number of a database (SELECT, COPY, MOVE); a bad one latches, and then the result is database 0. In a
/// shard any other than 0 is bad, if there is a text to say so.
Db read_database(ArgReader& args, const CommandContext& context, const char* only_first_in_shard = nullptr);

}  // namespace magpie::commands
