#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "server/engine/partition_pool.h"
#include "server/engine/stripe.h"

namespace magpie::engine {

/// All stripes of a keyspace and their locks, with the partitions that they have of every database. Any thread; what
/// lies in a stripe needs its lock.
class Stripes {
 public:
  /// Not `shared`: one thread only, locks are skipped.
  Stripes(std::uint32_t databases, bool shared);
  Stripes(const Stripes&) = delete;
  Stripes& operator=(const Stripes&) = delete;

  std::uint32_t databases() const { return databases_; }
  Stripe& operator[](StripeIndex index) { return stripes_[index_of(index)]; }
  const Stripe& operator[](StripeIndex index) const { return stripes_[index_of(index)]; }
  auto begin() { return stripes_.begin(); }
  auto end() { return stripes_.end(); }
  auto begin() const { return stripes_.begin(); }
  auto end() const { return stripes_.end(); }

  /// Holds the locks of a set of stripes, taken in ascending order.
  class [[nodiscard]] Guard {
   public:
    Guard() = default;
    Guard(Guard&& other) noexcept : stripes_(std::exchange(other.stripes_, nullptr)), mask_(other.mask_) {}
    Guard& operator=(Guard&& other) noexcept {
      std::swap(stripes_, other.stripes_);
      std::swap(mask_, other.mask_);
      return *this;
    }
    ~Guard() {
      if (stripes_ != nullptr) stripes_->unlock(mask_);
    }

   private:
    friend class Stripes;
    Guard(Stripes* stripes, StripeMask mask) : stripes_(stripes), mask_(mask) {}
    Stripes* stripes_ = nullptr;
    StripeMask mask_ = 0;
  };
  Guard lock(StripeMask mask) {
    if (!shared_) return {};
    lock_all_of(mask);
    return Guard(this, mask);
  }
  Guard lock(StripeIndex index) { return lock(mask_of(index)); }

  /// Holds the lock of one stripe, as most commands need it.
  class [[nodiscard]] OneGuard {
   public:
    OneGuard(const OneGuard&) = delete;
    OneGuard& operator=(const OneGuard&) = delete;
    ~OneGuard() {
      if (lock_ != nullptr) lock_->unlock();
    }

   private:
    friend class Stripes;
    explicit OneGuard(StripeLock* locked) : lock_(locked) {}
    StripeLock* lock_;
  };
  /// Calls `before_waiting` if another thread holds the lock.
  template <class Call>
  OneGuard lock(StripeIndex index, Call before_waiting) {
    if (!shared_) return OneGuard(nullptr);
    StripeLock& lock = (*this)[index].lock;
    if (!lock.try_lock()) [[unlikely]] {
      before_waiting();
      lock.lock();
    }
    return OneGuard(&lock);
  }

  /// Without the lock: for fetching ahead. Stays valid for good, whatever becomes of it.
  const Partition* peek(StripeIndex index, Db db) const {
    return slots_[std::size_t{index_of(index)} * databases_ + magpie::index_of(db)].load(std::memory_order_acquire);
  }
  Partition& partition_or_new(Stripe& at, Db db) {
    Partition* const partition = at.partition(db);
    return partition != nullptr ? *partition : new_partition(at, db);
  }
  /// Takes the partition of a database away, if there is one, to be freed by pool().free_some().
  void discard(Stripe& at, Db db);
  static void swap(Stripe& at, Db first, Db second);
  PartitionPool& pool() { return pool_; }
  const PartitionPool& pool() const { return pool_; }

 private:
  void lock_all_of(StripeMask mask);
  void unlock(StripeMask mask);
  Partition& new_partition(Stripe& at, Db db);

  std::uint32_t databases_;
  bool shared_;
  PartitionPool pool_;
  std::unique_ptr<std::atomic<Partition*>[]> slots_;  // by stripe and database
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace magpie::engine
