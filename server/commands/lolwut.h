#pragma once

#include <cstdint>
#include <string>

namespace magpie::commands {

/// The picture that LOLWUT shows: a magpie under stars, different with each seed. Ends with the version lines.
std::string lolwut_text(std::size_t columns, std::int64_t seed);

}  // namespace magpie::commands
