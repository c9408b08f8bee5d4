#include "server/engine/stripe.h"

#include <algorithm>

namespace magpie::engine {
namespace {

/// Tells the processor that this is a loop that waits; where no such word is known, nothing.
void cpu_relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

void StripeLock::lock_slowly() {
  constexpr int kSpins = 100;
  for (int spin = 0; spin < kSpins; ++spin) {
    std::uint32_t free = 0;
    if (state_.load(std::memory_order_relaxed) == 0 &&
        state_.compare_exchange_weak(free, 1, std::memory_order_acquire, std::memory_order_relaxed)) {
      return;
    }
    cpu_relax();
  }
  while (state_.exchange(2, std::memory_order_acquire) != 0) state_.wait(2, std::memory_order_relaxed);
}

void Partition::insert(std::uint64_t hash, Table::Fresh fresh, Heat heat) {
  const std::size_t before = table.buckets();
  table.insert(hash, fresh, heat);
  if (table.buckets() == before || expiries.volatile_keys() == 0) return;
  expiries.moved(Table::group_of_bucket(Table::origin_of(before)), Table::group_of_bucket(before));
}

void Partition::erase(std::uint64_t hash, const Entry* entry) {
  const std::size_t before = table.buckets();
  table.erase(hash, entry);
  if (table.buckets() == before || expiries.volatile_keys() == 0) return;
  const std::size_t merged = before - 1;
  expiries.moved(Table::group_of_bucket(merged), Table::group_of_bucket(Table::origin_of(merged)));
  if (merged % Table::kGroupBuckets == 0) expiries.drop(Table::group_of_bucket(merged));
}

void WatchedKeys::add(Db db, ByteView key, const WatchFlag& flag) {
  Flags& flags = keys_[Id{db, std::string(key)}];
  if (std::find(flags.begin(), flags.end(), flag) == flags.end()) flags.push_back(flag);
}

void WatchedKeys::remove(Db db, ByteView key, const WatchFlag& flag) {
  const auto found = keys_.find(Id{db, std::string(key)});
  if (found == keys_.end()) return;
  std::erase(found->second, flag);
  if (found->second.empty()) keys_.erase(found);
}

void WatchedKeys::touch(Db db, ByteView key) {
  const auto found = keys_.find(Id{db, std::string(key)});
  if (found != keys_.end()) raise(found->second);
}

}  // namespace magpie::engine
