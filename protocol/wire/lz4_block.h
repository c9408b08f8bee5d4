#pragma once

#include <cstddef>

#include "protocol/bytes.h"

namespace magpie::wire {

/// Blocks of LZ4 (its block format, without a frame around it). Functions of their arguments; any thread. Sizes are in
/// bytes, and at most some MB.

/// Compresses to `to`, where there is room for `most`; how many bytes that took, 0 if it would take more. Data that
/// does not shrink costs less than other data.
std::size_t compress_block(ByteView from, char* to, std::size_t most);

/// Whether `from` was a block of exactly `size` bytes, which then are at `to`. Writes nothing beyond them, whatever
/// `from` is; what is there after a failure means nothing.
[[nodiscard]] bool expand_block(ByteView from, char* to, std::size_t size);

}  // namespace magpie::wire
