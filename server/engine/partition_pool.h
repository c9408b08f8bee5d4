#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
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

  struct Freed {
    std::size_t entries = 0;
    bool any = false;  // false: there is no partition to empty
  };
  /// Frees about `limit` entries of partitions that were discarded.
  Freed free_some(std::size_t limit);
  /// Keys that wait for it.
  std::uint64_t pending_keys() const { return trash_keys_.load(std::memory_order_relaxed); }

 private:
  std::mutex lock_;  // guards the lists
  std::vector<std::unique_ptr<Partition>> all_;
  std::vector<Partition*> trash_;  // discarded, not empty yet
  std::vector<Partition*> spare_;
  std::atomic<std::uint64_t> trash_keys_{0};
};

}  // namespace magpie::engine
