#pragma once

#include <optional>

#include "server/commands/context.h"

namespace magpie::commands {

/// Checks a name and password and marks the client as authenticated if they are right. Without a password any will do.
bool authenticate(CommandContext& context, ByteView user, ByteView password);

/// Whether a text may be a client's name, or a library's: printable ASCII without spaces. Empty ones may.
bool is_client_attribute(ByteView text);
inline constexpr ByteView kBadClientName = "ERR Client names cannot contain spaces, newlines or special characters.";

/// A text as Redis prints it with %s: up to the first NUL.
inline ByteView printed(ByteView text) { return text.substr(0, text.find('\0')); }

/// Leaves MONITOR, if the client is in it.
void stop_monitoring(server::ServerState& server, server::ClientState& client);

}  // namespace magpie::commands
