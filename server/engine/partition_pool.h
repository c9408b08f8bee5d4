#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "server/engine/stripe.h"

namespace magpie::engine {

/// Owns the partitions of a keyspace. One that goes is emptied in slices, used again later and only deleted with the
/// pool, because whoever fetches ahead may still look at it. Any thread.
class PartitionPool {
 public:
  PartitionPool() = default;
  ~PartitionPool();
  PartitionPool(const PartitionPool&) = delete;
  PartitionPool& operator=(const PartitionPool&) = delete;

  /// An empty one; counts as used memory until it has been discarded and emptied.
  Partition& take();
  /// Nobody reaches it any more, but for fetching ahead.
  void discard(Partition& partition);

  enum class Freeing : std::uint8_t { Lazy, AtOnce };  // AtOnce: not counted as lazily freed
  struct Freed {
    std::size_t entries = 0;
    bool any = false;  // false: there is no partition to empty
  };
  /// Frees about `limit` entries of partitions that were discarded.
  Freed free_some(std::size_t limit, Freeing freeing);
  /// Keys that wait for it.
  std::uint64_t pending_keys() const { return trash_keys_.load(std::memory_order_relaxed); }
  /// Whether some thread is freeing entries at this moment.
  bool empties_one() const { return emptying_.load(std::memory_order_relaxed) > 0; }
  std::uint64_t lazily_freed() const { return lazily_freed_.load(std::memory_order_relaxed); }
  void reset_counter() { lazily_freed_.store(0, std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kSmall = 8;  // entries: a partition with no more is emptied at once when one is wanted

  std::size_t free_entries(Partition& partition, std::size_t limit, Freeing freeing);
  Partition* take_spare();

  std::mutex lock_;  // guards the lists
  std::vector<std::unique_ptr<Partition>> all_;
  std::deque<Partition*> trash_;  // discarded, not empty yet; the small ones behind
  std::vector<Partition*> spare_;
  std::atomic<std::uint64_t> trash_keys_{0};
  std::atomic<unsigned> emptying_{0};  // in no list meanwhile
  std::atomic<std::uint64_t> lazily_freed_{0};
};

}  // namespace magpie::engine
