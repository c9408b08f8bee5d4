#pragma once

#include <atomic>
#include <cstdint>

#include "server/engine/eviction_ranks.h"
#include "server/engine/expiry_index.h"
#include "server/engine/ghost.h"
#include "server/engine/instant.h"
#include "server/engine/table.h"
#include "server/engine/watch.h"

namespace magpie::engine {

/// Number of a stripe, 0 ..< kStripes.
enum class StripeIndex : std::uint8_t {};
inline constexpr unsigned kStripes = 64;
constexpr unsigned index_of(StripeIndex stripe) { return static_cast<unsigned>(stripe); }
constexpr StripeIndex stripe_at(unsigned number) { return StripeIndex{static_cast<std::uint8_t>(number)}; }

/// A set of stripes, one bit each.
using StripeMask = std::uint64_t;
inline constexpr StripeMask kAllStripes = ~StripeMask{0};
constexpr StripeMask mask_of(StripeIndex stripe) { return StripeMask{1} << index_of(stripe); }

/// A mutex of four bytes: spins briefly, then sleeps. Any thread. Its holder may not take it again.
class StripeLock {
 public:
  bool try_lock() {
    std::uint32_t free = 0;
    return state_.compare_exchange_strong(free, 1, std::memory_order_acquire, std::memory_order_relaxed);
  }
  void lock() {
    if (!try_lock()) lock_slowly();
  }
  void unlock() {
    if (state_.exchange(0, std::memory_order_release) == 2) state_.notify_one();
  }

 private:
  void lock_slowly();
  std::atomic<std::uint32_t> state_{0};  // 0 free, 1 held, 2 held and somebody may sleep
};

/// The part of one database that lies in one stripe.
struct Partition {
  Table table;
  ExpiryIndex expiries;

  /// Table::insert() and erase(), and what they mean for the groups of the expiry index.
  void insert(std::uint64_t hash, Table::Fresh fresh, Heat heat);
  void erase(std::uint64_t hash, const Entry* entry);
};

/// One of the lock-striped parts of the keyspace. Everything but the lock is guarded by the lock.
struct alignas(64) Stripe {
  StripeLock lock;
  std::uint32_t end = 0;  // of the databases that are used
  // What background work has to look at.
  Instant next_due{INT64_MAX};  // no key is due before
  std::uint32_t next_expired = 0;  // the database where expiry goes on
  std::uint32_t next_compacted = 0;  // and compaction
  std::uint32_t compact = 0;  // databases before that one after the other, which needed none
  bool changed = false;  // since all of them needed none
  std::atomic<Partition*>* partitions = nullptr;  // by database; null until used. The keyspace's
  WatchedKeys watched;
  Ghost ghost;
  UseCounts uses;  // counted while there is a ghost

  Partition* partition(Db db) const { return partitions[magpie::index_of(db)].load(std::memory_order_relaxed); }
};

}  // namespace magpie::engine
