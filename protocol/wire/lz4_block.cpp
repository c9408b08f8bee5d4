#include "protocol/wire/lz4_block.h"

#include <lz4.h>

#include "protocol/check.h"

namespace magpie::wire {

std::size_t compress_block(ByteView from, char* to, std::size_t most) {
  CHECK(from.size() <= LZ4_MAX_INPUT_SIZE && most <= LZ4_MAX_INPUT_SIZE);
  const int size = LZ4_compress_default(from.data(), to, static_cast<int>(from.size()), static_cast<int>(most));
  return static_cast<std::size_t>(size);
}

bool expand_block(ByteView from, char* to, std::size_t size) {
  if (from.size() > LZ4_MAX_INPUT_SIZE || size > LZ4_MAX_INPUT_SIZE) return false;
  const int expanded = LZ4_decompress_safe(from.data(), to, static_cast<int>(from.size()), static_cast<int>(size));
  return expanded >= 0 && static_cast<std::size_t>(expanded) == size;
}

}  // namespace magpie::wire
