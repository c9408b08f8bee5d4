#include "server/engine/large_blocks.h"

#include <sys/mman.h>

#include <cstdint>

#include "server/engine/memory.h"
#include "server/engine/page_pool.h"

namespace magpie::engine {

LargeBlocks& LargeBlocks::instance() {
  static LargeBlocks* const blocks = new LargeBlocks;  // blocks may come until the very end of the process
  return *blocks;
}

void LargeBlocks::add(void* block, std::size_t bytes, Counted counted) {
  const std::lock_guard guard(lock_);
  blocks_.push_back({static_cast<char*>(block), bytes, counted});
}

bool LargeBlocks::free_piece() {
  Block block{nullptr, 0, Counted::Yes};
  {
    const std::lock_guard guard(lock_);
    if (blocks_.empty()) return false;
    block = blocks_.back();
    blocks_.pop_back();
  }
  if (block.bytes <= 2 * kPiece) {
    release(block.start, block.counted == Counted::Yes ? block.bytes : 0);
    return true;
  }
  // From the end on, whole pages: what is left of the allocator's own lies in front.
  const auto end = reinterpret_cast<std::uintptr_t>(block.start + block.bytes);
  const std::size_t piece = kPiece + end % PagePool::kSystemPage;
  block.bytes -= piece;
  madvise(block.start + block.bytes, kPiece, MADV_DONTNEED);
  if (block.counted == Counted::Yes) account(-static_cast<std::int64_t>(piece));
  const std::lock_guard guard(lock_);
  blocks_.push_back(block);
  return true;
}

std::size_t LargeBlocks::pending() const {
  const std::lock_guard guard(lock_);
  std::size_t sum = 0;
  for (const Block& block : blocks_) sum += block.bytes;
  return sum;
}

}  // namespace magpie::engine
