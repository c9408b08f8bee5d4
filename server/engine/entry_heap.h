#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "server/engine/arena.h"
#include "server/engine/entry.h"

namespace magpie::engine {

/// Where the entries of one table live: small ones in cells of an arena, larger ones in blocks of their own, whose
/// address a cell holds. Guarded by the stripe's lock. Owns the entries.
class EntryHeap {
 public:
  EntryHeap() = default;
  ~EntryHeap();
  EntryHeap(const EntryHeap&) = delete;
  EntryHeap& operator=(const EntryHeap&) = delete;

  /// Whether the entry has an expiry: its handle tells, for whoever looks for such entries.
  static bool has_expiry(Handle handle) { return (static_cast<std::uint32_t>(handle) & kHasExpiry) != 0; }

  /// The content may borrow from an entry that is here. A large list is copied, which is O(1).
  Handle make(const EntryContent& content);
  void free(Handle handle);
  /// Puts what lies in the handle's cell into another one, and returns that.
  Handle move(Handle from);
  /// Valid until the entry is freed or moved.
  Entry* at(Handle handle) const {
    char* const cell = arena_.at(cell_of(handle));
    if (static_cast<unsigned char>(*cell) != Entry::kNoEntry) [[likely]] {
      return reinterpret_cast<Entry*>(cell);
    }
    return block_in(cell);
  }
  /// Any handle, valid or not, with the lock or without. Fetches the entry's start, most of the usual ones' rest, and
  /// what `bytes` of key and value take, up to a bound: a lock taken later waits for what was written meanwhile.
  void prefetch(Handle handle, std::size_t bytes = 0) const {
    constexpr std::size_t kUsual = 48;
    constexpr std::size_t kLine = 64;
    constexpr std::size_t kMost = 4 * kLine;
    const char* const cell = arena_.peek(cell_of(handle));
    if (cell == nullptr) return;
    __builtin_prefetch(cell);
    __builtin_prefetch(cell + kUsual);
    const std::size_t end = std::min(bytes, kMost);
    for (std::size_t at = kUsual + kLine; at < end; at += kLine) __builtin_prefetch(cell + at);
  }

  /// Bytes that the entry takes without its object, rounding included. Where its size shares the pages of a larger one
  /// (Arena) it takes up to an eighth more, which is counted in used_memory() only.
  static std::size_t memory(const Entry& entry);
  /// Bytes of all entries.
  std::size_t memory() const { return arena_.used() + block_bytes_; }
  /// Bytes that the entry may grow to where it is.
  static std::size_t capacity(const Entry& entry);

  /// Frees up to about `limit` entries, page by page, and returns how many; for a heap whose handles nobody uses any
  /// more.
  std::size_t free_some(std::size_t limit);

  /// Makes a heap that is free of entries as new.
  void reset() { arena_.reset(); }

  Arena& arena() { return arena_; }
  const Arena& arena() const { return arena_; }

 private:
  static constexpr std::uint32_t kHasExpiry = std::uint32_t{1} << 31;  // which cells do not use
  static Handle cell_of(Handle handle) { return Handle{static_cast<std::uint32_t>(handle) & ~kHasExpiry}; }
  static constexpr std::size_t kAddressAt = 4;  // in the cell of an entry that lies elsewhere
  static constexpr std::size_t kAddressCell = kAddressAt + sizeof(std::uintptr_t);
  static_assert(kAddressCell <= Arena::kLargest);
  static_assert(Arena::kFreeCell > Entry::kNoEntry, "what a cell begins with: an entry, this mark, or that it is free");

  static Entry* block_in(const char* cell) {
    std::uintptr_t address = 0;
    std::memcpy(&address, cell + kAddressAt, sizeof address);
    return reinterpret_cast<Entry*>(address);  // NOLINT(performance-no-int-to-ptr): the cell is not aligned for one
  }

  Handle put(const EntryContent& content);
  /// Whatever the entry that goes has elsewhere: its block, its object.
  void release(char* cell);

  Arena arena_;
  std::size_t block_bytes_ = 0;
};

}  // namespace magpie::engine
