#pragma once

#include <span>
#include <vector>

#include "server/commands/command.h"

namespace magpie::commands {

/// A key among the arguments of a command, and what the command does with it.
struct FoundKey {
  std::uint32_t position;
  KeyFlags flags;
};

/// Appends the keys that one specification finds; false if the arguments make no sense. An unknown one finds none.
bool search_keys(const KeySearch& search, std::span<const ByteView> arguments, std::vector<FoundKey>& found);

/// The keys of a command whose name is argument 0, with flags. False if they cannot be told.
bool find_keys(const Command& command, std::span<const ByteView> arguments, std::vector<FoundKey>& found);

}  // namespace magpie::commands
