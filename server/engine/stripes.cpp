#include "server/engine/stripes.h"

#include <algorithm>
#include <bit>

namespace magpie::engine {

Stripes::Stripes(std::uint32_t databases, bool shared)
    : databases_(databases),
      shared_(shared),
      slots_(std::make_unique<std::atomic<Partition*>[]>(std::size_t{kStripes} * databases)) {
  for (std::size_t i = 0; i < kStripes; ++i) stripes_[i].partitions = &slots_[i * databases_];
  for (Stripe& at : stripes_) partition_or_new(at, Db{0});  // what every node uses
}

void Stripes::lock_all_of(StripeMask mask) {
  for (; mask != 0; mask &= mask - 1) stripes_[static_cast<unsigned>(std::countr_zero(mask))].lock.lock();
}

void Stripes::unlock(StripeMask mask) {
  for (; mask != 0; mask &= mask - 1) stripes_[static_cast<unsigned>(std::countr_zero(mask))].lock.unlock();
}

Partition& Stripes::new_partition(Stripe& at, Db db) {
  Partition& made = pool_.take();
  at.end = std::max(at.end, magpie::index_of(db) + 1);
  at.partitions[magpie::index_of(db)].store(&made, std::memory_order_release);
  return made;
}

void Stripes::discard(Stripe& at, Db db) {
  Partition* const partition = at.partitions[magpie::index_of(db)].exchange(nullptr, std::memory_order_relaxed);
  if (partition != nullptr) pool_.discard(*partition);
  while (at.end > 0 && at.partition(Db{at.end - 1}) == nullptr) --at.end;
}

void Stripes::swap(Stripe& at, Db first, Db second) {
  std::atomic<Partition*>& one = at.partitions[magpie::index_of(first)];
  std::atomic<Partition*>& other = at.partitions[magpie::index_of(second)];
  Partition* const moved = one.load(std::memory_order_relaxed);
  if (moved == nullptr && other.load(std::memory_order_relaxed) == nullptr) return;
  at.end = std::max(at.end, std::max(magpie::index_of(first), magpie::index_of(second)) + 1);
  at.changed = true;  // whoever goes through the databases may miss what has moved
  at.compact = 0;
  one.store(other.exchange(moved, std::memory_order_release), std::memory_order_release);
}

}  // namespace magpie::engine
