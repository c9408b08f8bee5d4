#pragma once

#include <cstdint>

namespace magpie::engine {

/// Random enough for sampling: not for secrets. Each thread has its own sequence.
std::uint64_t random();

}  // namespace magpie::engine
