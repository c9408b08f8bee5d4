#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "protocol/bytes.h"

namespace magpie {

/// A growable run of bytes that never zero-fills and can give its memory away: connection input tails and replies.
/// Owned and used by one thread at a time. Running out of memory ends the process.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  ~ByteBuffer() { std::free(data_); }
  ByteBuffer(ByteBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;

  const char* data() const { return data_; }
  char* data() { return data_; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  /// Valid until the next call that is not const.
  ByteView view() const { return {data_, size_}; }

  void append(ByteView bytes) {
    if (bytes.empty()) return;
    std::memcpy(reserve(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void append(char byte) {
    *reserve(1) = byte;
    size_ += 1;
  }
  /// Room for `extra` more bytes behind the content; write there, then commit(). Valid until the next non-const call.
  char* reserve(std::size_t extra) {
    if (capacity_ - size_ < extra) grow(extra);
    return data_ + size_;
  }
  void commit(std::size_t written) { size_ += written; }
  /// Keeps the first `size` bytes; `size` must not exceed size().
  void truncate(std::size_t size) { size_ = size; }
  /// Drops the first `count` bytes and moves the rest to the front.
  void consume(std::size_t count);
  /// Empties it and returns its memory.
  void release();

 private:
  /// Small buffers double; from 64 KB on growth is exact to the next 16 KB, so that one large reply costs its size.
  void grow(std::size_t extra);

  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace magpie
