#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "protocol/shared_bytes.h"
#include "server/engine/entry.h"

namespace magpie::engine {

/// The block of an entry that is too large for an arena: a count of its holders, then the entry. One holder is the
/// table, the others are replies that refer to the value's bytes instead of copying them; the last one frees it. What
/// the table has let go of is no data any more and does not count as used memory, whoever still reads it.
///
/// New holders come under the stripe's lock, like every change; they go at any time, on any thread.
class EntryBlock {
 public:
  /// Held by the table.
  static Entry* make(const EntryContent& content);
  /// The table lets go.
  static void drop(Entry* entry);

  /// Bytes that the entry has, and that the whole block takes, rounding included.
  static std::size_t capacity(const Entry& entry) { return memory(entry) - kHead; }
  static std::size_t memory(const Entry& entry);

  /// Whether replies refer to the value: then none of its bytes may change. With the lock.
  static bool is_referenced(const Entry& entry) { return holders(entry).load(std::memory_order_acquire) > 1; }
  /// For a reply, with the lock; `part` is some of the value's bytes.
  static SharedBytes refer(const Entry& entry, ByteView part);
  /// Bytes of all blocks that only replies hold.
  static std::size_t memory_of_replies();

 private:
  using Holders = std::atomic<std::uint32_t>;
  static constexpr std::size_t kHead = sizeof(Holders);
  static_assert(kHead % 2 == 0, "an entry lies at an even address");

  static char* block_of(const Entry& entry) { return const_cast<char*>(reinterpret_cast<const char*>(&entry)) - kHead; }
  static Holders& holders(const Entry& entry) { return *reinterpret_cast<Holders*>(block_of(entry)); }
  static void drop_reference(const void* block);
};

}  // namespace magpie::engine
