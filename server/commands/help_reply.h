#pragma once

#include <span>
#include <string_view>

#include "server/commands/context.h"

namespace magpie::commands {

/// The reply of a container's HELP subcommand: usage, then `lines`, then HELP itself.
CommandResult reply_help(CommandContext& context, std::span<const std::string_view> lines);

/// The row of that subcommand.
constexpr CommandRow help_row(Group group, std::string_view since, Handler handler, Category categories = 0) {
  return {.name = "help",
          .arity = 2,
          .flags = kLoading | kStale,
          .categories = categories,
          .group = group,
          .since = since,
          .summary = "Show helpful text about the different subcommands",
          .complexity = "O(1)",
          .handler = handler};
}

/// The error of a subcommand that exists but not with so many arguments.
CommandResult wrong_subcommand(const CommandContext& context);

/// Whether the client connects from this machine.
bool is_local(const server::ClientState& client);

}  // namespace magpie::commands
