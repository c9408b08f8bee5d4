#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace magpie::engine {

/// Large blocks that are not needed any more and wait to be freed in pieces: the kernel takes some milliseconds to take
/// back 100 MB, which no command should wait for. They count as used until then, if they did before. One for the
/// process; any thread.
class LargeBlocks {
 public:
  static constexpr std::size_t kLarge = std::size_t{2} << 20;  // bytes from which on a block is one
  static constexpr std::size_t kPiece = std::size_t{64} << 10;

  static LargeBlocks& instance();

  enum class Counted : std::uint8_t { Yes, No };
  /// Takes over a block from allocate() with so many usable bytes.
  void add(void* block, std::size_t bytes, Counted counted = Counted::Yes);
  /// Background work. Gives one piece back to the system, about 5 us; false if there is nothing left.
  bool free_piece();
  /// Bytes that wait.
  std::size_t pending() const;

 private:
  struct Block {
    char* start;
    std::size_t bytes;  // that are still there
    Counted counted;
  };

  mutable std::mutex lock_;
  std::vector<Block> blocks_;
};

}  // namespace magpie::engine
