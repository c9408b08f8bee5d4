#include "protocol/byte_buffer.h"

#include <algorithm>

namespace magpie {
namespace {
constexpr std::size_t kSmallest = 256;
constexpr std::size_t kExactFrom = std::size_t{64} << 10;
constexpr std::size_t kExactStep = std::size_t{16} << 10;
}  // namespace

void ByteBuffer::consume(std::size_t count) {
  if (count == 0) return;  // what is left of a large command that waits is not moved onto itself
  std::memmove(data_, data_ + count, size_ - count);
  size_ -= count;
}

void ByteBuffer::release() {
  std::free(data_);
  data_ = nullptr;
  size_ = capacity_ = 0;
}

void ByteBuffer::grow(std::size_t extra) {
  const std::size_t needed = size_ + extra;
  std::size_t capacity = std::max({kSmallest, needed, capacity_ * 2});
  if (needed >= kExactFrom) {
    // An eighth more keeps appending linear; a single large reply gets just what it asked for.
    capacity = std::max(needed, extra >= capacity_ ? 0 : capacity_ + capacity_ / 8);
    capacity = (capacity + kExactStep - 1) / kExactStep * kExactStep;
  }
  void* grown = std::realloc(data_, capacity);
  if (grown == nullptr) std::abort();
  data_ = static_cast<char*>(grown);
  capacity_ = capacity;
}

}  // namespace magpie
