#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "server/engine/memory.h"
#include "server/engine/page_list.h"
#include "server/engine/page_pool.h"

namespace magpie::engine {

/// A cell of an arena, in units of two bytes from its first page on. Never 0, below 2^31.
enum class Handle : std::uint32_t {};

/// Cells for the entries of one stripe: pages of cells of one size, sizes two bytes apart up to 96 and at most an
/// eighth apart above, so that rounding costs little (the usual allocators round 49 bytes to 64). Guarded by the
/// stripe's lock. The first byte of a cell in use is never kFreeCell.
class Arena {
 public:
  static constexpr std::size_t kLargest = 508;  // bytes; what is larger belongs to allocate()
  static constexpr unsigned char kFreeCell = 0xff;

  Arena() = default;
  ~Arena();  // with all its cells
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Bytes that a cell for `bytes` really has, at least.
  static std::size_t rounded(std::size_t bytes);

  Handle take(std::size_t bytes);
  void give(Handle cell);
  /// Valid until the cell is given back or moved.
  char* at(Handle cell) const {
    const auto units = static_cast<std::uint32_t>(cell);
    return pages_[units / kUnits] + std::size_t{units % kUnits} * kUnit;
  }

  /// Where the cell may be: for fetching ahead without the lock, with any number for a handle.
  const char* peek(Handle cell) const {
    const auto units = static_cast<std::uint32_t>(cell);
    const char* const page = pages_.peek(units / kUnits);
    return page == nullptr ? nullptr : page + std::size_t{units % kUnits} * kUnit;
  }

  /// Bytes of cells in use, and of the pages they lie in.
  std::size_t used() const { return used_; }
  std::size_t held() const { return page_count_ * PagePool::kPage; }

  /// Gives back whole pages, last ones first, until `limit` cells in use or more are gone; visit(cell's address) is
  /// called for each of these. Returns how many; 0 when nothing is left.
  template <class Visit>
  std::size_t drop_pages(std::size_t limit, Visit visit) {
    std::size_t dropped = 0;
    while (dropped < limit && !pages_.empty()) {
      const auto last = static_cast<std::uint32_t>(pages_.size() - 1);
      if (pages_[last] != nullptr) {
        for_each_used(last, [&](Handle cell) { visit(at(cell)); });
        dropped += drop_used_page(last);
      }
      pages_.pop_back();
    }
    return dropped;
  }

  /// Makes an arena whose pages were all dropped usable again.
  void reset();

  // --- compaction: moving the cells of sparse pages into others ---

  /// Whether cells of some size lie in notably more pages than they need. Costs nothing while no cell was given back.
  bool sparse();
  /// A page to empty: the other pages of its size have room for its cells. Nothing new is put there from now on, so the
  /// caller moves every cell: take(), copy, give(). Looks at up to `most` pages; nothing if none of them is worth it.
  std::optional<std::uint32_t> set_aside(std::size_t most);
  /// The first cell in use of such a page, nothing once it is gone.
  std::optional<Handle> first_used(std::uint32_t page);
  /// Bytes of a cell.
  std::size_t size_of(Handle cell) const;

 private:
  static constexpr std::size_t kUnit = 2;
  static constexpr std::uint32_t kUnits = PagePool::kPage / kUnit;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  static constexpr std::uint32_t kAside = kNone - 1;

  /// At the start of each page. Pages with room are in a list by size.
  struct Page {
    std::uint16_t kind;  // index of the cell size
    std::uint16_t used;  // cells
    std::uint16_t carved;  // cells that were handed out at least once; the rest is untouched
    std::uint16_t free_cell;  // in units from the page's start, 0: none; a free cell names the next at its byte 2
    std::uint32_t previous;  // kNone: it is the first; kAside: it is in no list and takes nothing
    std::uint32_t next;  // of a page that is aside: the cells before this one are free
  };
  static_assert(sizeof(Page) == 16);
  static constexpr unsigned kKinds = 71;

  /// The pages of one cell size.
  struct Kind {
    std::uint32_t with_room = kNone;  // first of the list
    std::uint32_t pages = 0;
    std::uint32_t used = 0;  // cells
    bool sparse(std::size_t cells_of_page) const;
  };

  std::size_t size_of_cell(const Page& at) const;
  template <class Visit>
  void for_each_used(std::uint32_t number, Visit visit) const {
    const Page& at = page(number);
    const std::size_t size = size_of_cell(at);
    for (std::size_t i = 0; i < at.carved; ++i) {
      const std::size_t offset = sizeof(Page) + i * size;
      if (static_cast<unsigned char>(pages_[number][offset]) == kFreeCell) continue;
      visit(Handle{number * kUnits + static_cast<std::uint32_t>(offset / kUnit)});
    }
  }
  /// A page with all its cells; returns how many were in use.
  std::size_t drop_used_page(std::uint32_t number);
  Page& page(std::uint32_t number) const { return *reinterpret_cast<Page*>(pages_[number]); }
  static std::uint32_t page_of(Handle cell) { return static_cast<std::uint32_t>(cell) / kUnits; }
  std::size_t near_kind_with_room(std::size_t kind) const;
  std::uint32_t add_page(std::size_t kind);
  void drop_page(std::uint32_t number);
  void link(std::uint32_t number);
  void unlink(std::uint32_t number);
  void count(std::size_t kind, std::int64_t cells);

  PageList<char> pages_;  // null where a number is free
  std::vector<std::uint32_t, Allocator<std::uint32_t>> free_numbers_;
  std::array<Kind, kKinds> kinds_;
  std::uint32_t looked_at_ = 0;  // where set_aside() goes on
  std::size_t page_count_ = 0;
  std::size_t used_ = 0;
  bool dense_ = true;  // nothing has been given back since no size was sparse
};

}  // namespace magpie::engine
