#pragma once

#include "server/commands/context.h"

/// Subcommands of DEBUG, one function each; `args` are those behind the subcommand's name. All stripes are held.
namespace magpie::commands::debug {

CommandResult object(CommandContext& context, ArgReader args);
CommandResult sdslen(CommandContext& context, ArgReader args);
CommandResult digest(CommandContext& context, ArgReader args);
CommandResult digest_value(CommandContext& context, ArgReader args);
CommandResult populate(CommandContext& context, ArgReader args);
CommandResult reload(CommandContext& context, ArgReader args);
CommandResult table_statistics(CommandContext& context, ArgReader args);
CommandResult needs_key(CommandContext& context, ArgReader args);

CommandResult protocol(CommandContext& context, ArgReader args);

}  // namespace magpie::commands::debug
