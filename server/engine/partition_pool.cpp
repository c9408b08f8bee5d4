#include "server/engine/partition_pool.h"

#include "server/engine/memory.h"

namespace magpie::engine {

// Spare ones are not used memory: nothing can be done about them, so a limit must not be missed for their sake.

PartitionPool::~PartitionPool() {
  account(-static_cast<std::int64_t>((all_.size() - spare_.size()) * sizeof(Partition)));
}

Partition& PartitionPool::take() {
  const std::lock_guard guard(lock_);
  account(sizeof(Partition));
  if (spare_.empty()) return *all_.emplace_back(std::make_unique<Partition>());
  Partition& taken = *spare_.back();
  spare_.pop_back();
  taken.table.reset();
  return taken;
}

void PartitionPool::discard(Partition& partition) {
  partition.expiries.clear();
  const std::lock_guard guard(lock_);
  trash_keys_.fetch_add(partition.table.size(), std::memory_order_relaxed);
  trash_.push_back(&partition);
}

PartitionPool::Freed PartitionPool::free_some(std::size_t limit) {
  Partition* partition = nullptr;
  {
    const std::lock_guard guard(lock_);
    if (trash_.empty()) return {};
    partition = trash_.back();
    trash_.pop_back();
  }
  const std::size_t freed = partition->table.free_some(limit);
  trash_keys_.fetch_sub(freed, std::memory_order_relaxed);
  const std::lock_guard guard(lock_);
  if (partition->table.size() > 0) {
    trash_.push_back(partition);
  } else {
    account(-static_cast<std::int64_t>(sizeof(Partition)));
    spare_.push_back(partition);
  }
  return {freed, true};
}

}  // namespace magpie::engine
