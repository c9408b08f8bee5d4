#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "protocol/byte_buffer.h"
#include "protocol/shared_bytes.h"

namespace magpie {

/// Replies on their way out: bytes of its own, and between them large values that stay where they are. Owned and used
/// by one thread at a time.
class OutputBuffer {
 public:
  OutputBuffer() = default;
  OutputBuffer(OutputBuffer&& other) noexcept { *this = std::move(other); }
  OutputBuffer& operator=(OutputBuffer&& other) noexcept;

  /// Its own bytes, for appending to.
  ByteBuffer& own() { return own_; }
  /// At the end of what is there.
  void append(SharedBytes bytes);

  /// Bytes, shared ones included.
  std::size_t size() const { return own_.size() - own_taken_ + shared_bytes_; }
  bool empty() const { return size() == 0; }
  bool has_shared() const { return next_ < shared_.size(); }
  /// Memory that it takes, and that of the shared bytes it still holds, which others may hold too.
  std::size_t own_memory() const { return own_.capacity() + shared_.capacity() * sizeof(Shared); }
  std::size_t shared_memory() const { return shared_held_; }

  /// Puts the content's first pieces into `pieces`, in order, as many as fit; returns how many. Valid until the next
  /// call that is not const.
  std::size_t pieces(std::span<ByteView> pieces) const;
  /// Drops the first `count` bytes and lets go of the shared ones among them; nothing is moved.
  void consume(std::size_t count);
  /// Keeps the first `size` bytes. Must not cut shared bytes, nor follow consume().
  void truncate(std::size_t size);
  /// Keeps the first `size` bytes and returns what stood behind them, with the same conditions.
  OutputBuffer split(std::size_t size);
  /// Empties it and keeps its memory.
  void clear();
  /// Empties it and returns its memory.
  void release();

 private:
  struct Shared {
    std::size_t at;  // in own_: it stands in front of that byte
    SharedBytes bytes;
  };

  ByteBuffer own_;
  std::size_t own_taken_ = 0;  // bytes of own_ that are consumed
  std::vector<Shared> shared_;
  std::size_t next_ = 0;  // the first of shared_ that is not consumed
  std::size_t next_taken_ = 0;  // bytes of it that are
  std::size_t shared_bytes_ = 0;  // left
  std::size_t shared_held_ = 0;  // the same, and next_taken_
};

}  // namespace magpie
