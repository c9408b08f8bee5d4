#pragma once

#include <cstddef>
#include <string>

#include "protocol/bytes.h"

namespace magpie {

/// Appends the byte; if it is no printable ASCII, as \x0a.
void append_printable(std::string& to, char byte);

/// What somebody else has told, for a line of a log or of INFO: its first bytes, printable.
std::string printable(ByteView told, std::size_t most = 256);

}  // namespace magpie
