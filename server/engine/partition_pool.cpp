#include "server/engine/partition_pool.h"

#include <algorithm>

#include "server/engine/memory.h"

namespace magpie::engine {

namespace {

/// How many are used memory: those in use, and as many as one database has. Spare ones beyond that serve again, and a
/// limit must not be missed for their sake.
std::int64_t counted(std::size_t all, std::size_t spare) {
  return static_cast<std::int64_t>(std::max(all - spare, std::min<std::size_t>(all, kStripes)));
}

constexpr std::int64_t kBytes = sizeof(Partition);

}  // namespace

PartitionPool::~PartitionPool() { account(-counted(all_.size(), spare_.size()) * kBytes); }

std::size_t PartitionPool::free_entries(Partition& partition, std::size_t limit, Freeing freeing) {
  const std::size_t freed = partition.table.free_some(limit);
  trash_keys_.fetch_sub(freed, std::memory_order_relaxed);
  if (freeing == Freeing::Lazy) lazily_freed_.fetch_add(freed, std::memory_order_relaxed);
  return freed;
}

/// With the lock. Where databases are filled a little and flushed again and again, what was flushed serves anew, and
/// does not pile up faster than background work empties it.
Partition* PartitionPool::take_spare() {
  if (!spare_.empty()) {
    Partition* const taken = spare_.back();
    spare_.pop_back();
    return taken;
  }
  if (trash_.empty() || trash_.back()->table.size() > kSmall) return nullptr;
  Partition* const taken = trash_.back();
  trash_.pop_back();
  while (free_entries(*taken, kSmall, Freeing::Lazy) > 0 || taken->table.size() > 0) {
  }
  return taken;
}

Partition& PartitionPool::take() {
  const std::lock_guard guard(lock_);
  const std::int64_t before = counted(all_.size(), spare_.size());
  Partition* taken = take_spare();
  if (taken != nullptr) {
    taken->table.reset();
  } else {
    taken = all_.emplace_back(std::make_unique<Partition>()).get();
  }
  account((counted(all_.size(), spare_.size()) - before) * kBytes);
  return *taken;
}

void PartitionPool::discard(Partition& partition) {
  partition.expiries.clear();
  const std::lock_guard guard(lock_);
  const std::size_t keys = partition.table.size();
  trash_keys_.fetch_add(keys, std::memory_order_relaxed);
  if (keys > kSmall) {
    trash_.push_front(&partition);
  } else {
    trash_.push_back(&partition);
  }
}

PartitionPool::Freed PartitionPool::free_some(std::size_t limit, Freeing freeing) {
  Partition* partition = nullptr;
  {
    const std::lock_guard guard(lock_);
    if (trash_.empty()) return {};
    partition = trash_.front();
    trash_.pop_front();
    emptying_.fetch_add(1, std::memory_order_relaxed);
  }
  const std::size_t freed = free_entries(*partition, limit, freeing);
  const std::lock_guard guard(lock_);
  emptying_.fetch_sub(1, std::memory_order_relaxed);
  if (partition->table.size() > 0) {
    trash_.push_front(partition);
  } else {
    const std::int64_t before = counted(all_.size(), spare_.size());
    spare_.push_back(partition);
    account((counted(all_.size(), spare_.size()) - before) * kBytes);
  }
  return {freed, true};
}

}  // namespace magpie::engine
