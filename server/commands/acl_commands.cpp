#include "server/commands/command_table.h"
#include "server/commands/context.h"

namespace magpie::commands {

std::span<const CommandRow> acl_commands() { return {}; }

}  // namespace magpie::commands
