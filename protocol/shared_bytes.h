#pragma once

#include <utility>

#include "protocol/bytes.h"

namespace magpie {

/// Bytes that stay where they are, and as they are, until this object goes: somebody else owns them and counts who
/// still reads them. Any thread may let go of them; one thread at a time.
class SharedBytes {
 public:
  /// What the owner hears when the bytes are not read any more.
  using LetGo = void (*)(const void* owner);

  SharedBytes() = default;
  /// The owner has counted this reader.
  SharedBytes(ByteView bytes, const void* owner, LetGo let_go) : bytes_(bytes), owner_(owner), let_go_(let_go) {}
  ~SharedBytes() {
    if (owner_ != nullptr) let_go_(owner_);
  }
  SharedBytes(SharedBytes&& other) noexcept
      : bytes_(std::exchange(other.bytes_, {})), owner_(std::exchange(other.owner_, nullptr)), let_go_(other.let_go_) {}
  SharedBytes& operator=(SharedBytes&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(owner_, other.owner_);
    std::swap(let_go_, other.let_go_);
    return *this;
  }

  ByteView view() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }

 private:
  ByteView bytes_;
  const void* owner_ = nullptr;
  LetGo let_go_ = nullptr;
};

}  // namespace magpie
