#pragma once

#include <string_view>

namespace magpie {

/// A borrowed run of bytes, not necessarily text. Whoever hands one out says how long it stays valid.
using ByteView = std::string_view;

}  // namespace magpie
