#pragma once

#include <algorithm>

#include "server/commands/command.h"
#include "server/state/client_state.h"

namespace magpie::server {

inline bool is_exec(const commands::Command& command) { return command.row->name == "exec"; }

/// The flags that a command stands for: EXEC for those of all commands that it will run. The client's loop.
inline commands::Flag effective_flags(const ClientState& client, const commands::Command& command) {
  return is_exec(command) ? client.transaction.row_flags : command.flags;
}

}  // namespace magpie::server
