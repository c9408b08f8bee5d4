#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

#include "server/engine/memory.h"

namespace magpie::engine {

/// A growing list of pointers to pages, which never moves: it lies in blocks of which each is twice as large as the one
/// before, so growth copies nothing. Changed under its owner's lock; peek() needs no lock, because a block stays until
/// the list is destroyed. Does not own the pages.
template <class Page>
class PageList {
 public:
  PageList() = default;
  PageList(const PageList&) = delete;
  PageList& operator=(const PageList&) = delete;
  ~PageList() {
    for (const auto& block : blocks_) deallocate(block.load(std::memory_order_relaxed));
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Page* operator[](std::size_t number) const { return slot(number).load(std::memory_order_relaxed); }
  Page* back() const { return (*this)[size_ - 1]; }
  void set(std::size_t number, Page* page) { slot(number).store(page, std::memory_order_release); }
  void push_back(Page* page) {
    const Spot spot = spot_of(size_);
    if (blocks_[spot.block].load(std::memory_order_relaxed) == nullptr) add_block(spot.block);
    set(size_++, page);
  }
  void pop_back() { set(--size_, nullptr); }

  /// The page with this number, or nullptr if there is none. Any thread, as long as the list lives; what it answers may
  /// be outdated at once, so it serves to fetch memory ahead and nothing else.
  Page* peek(std::size_t number) const {
    const Spot spot = spot_of(number);
    if (spot.block >= kBlocks) return nullptr;
    const Slot* const block = blocks_[spot.block].load(std::memory_order_acquire);
    return block == nullptr ? nullptr : block[spot.index].load(std::memory_order_acquire);
  }

  /// Bytes of the blocks.
  std::size_t memory() const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < kBlocks && blocks_[i].load(std::memory_order_relaxed) != nullptr; ++i) {
      sum += (kFirst << i) * sizeof(Slot);
    }
    return sum;
  }

 private:
  using Slot = std::atomic<Page*>;
  static constexpr std::size_t kFirst = 8;  // pages in the first block
  static constexpr std::size_t kBlocks = 20;  // for 2^23 pages: more than 31 bits of handles reach

  struct Spot {
    std::size_t block;
    std::size_t index;
  };
  static Spot spot_of(std::size_t number) {
    const std::size_t shifted = number + kFirst;
    const auto width = static_cast<std::size_t>(std::bit_width(shifted)) - 1;
    return {width - std::bit_width(kFirst) + 1, shifted - (std::size_t{1} << width)};
  }
  Slot& slot(std::size_t number) const {
    const Spot spot = spot_of(number);
    return blocks_[spot.block].load(std::memory_order_relaxed)[spot.index];
  }
  void add_block(std::size_t block) {
    const std::size_t bytes = (kFirst << block) * sizeof(Slot);
    auto* const slots = static_cast<Slot*>(allocate(bytes));
    for (std::size_t i = 0; i < kFirst << block; ++i) new (slots + i) Slot(nullptr);
    blocks_[block].store(slots, std::memory_order_release);
  }

  std::array<std::atomic<Slot*>, kBlocks> blocks_{};
  std::size_t size_ = 0;
};

}  // namespace magpie::engine
