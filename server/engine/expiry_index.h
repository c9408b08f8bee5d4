#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "server/engine/instant.h"
#include "server/engine/memory.h"

namespace magpie::engine {

/// Which keys of one table fall due when: a binary heap of (time, hash), earliest first. Entries say for themselves
/// whether and when they expire; an item whose entry is gone or has another time is stale and dropped when met. Whoever
/// changes an expiry adds an item; the heap is rebuilt from the live ones when most are stale.
class ExpiryIndex {
 public:
  struct Item {
    std::int64_t due;  // ms since the epoch
    std::uint64_t hash;
  };

  void add(Instant due, std::uint64_t hash);
  /// One key with an expiry more or less, of the given time.
  void count(Instant due, int change);
  /// The earliest item, stale or not.
  std::optional<Item> earliest() const;
  void pop();
  /// Some item, stale or not; there must be one.
  Item sample(std::uint64_t random) const { return items_[random % items_.size()]; }
  bool empty() const { return items_.empty(); }

  /// Keys that have an expiry.
  std::size_t volatile_keys() const { return volatile_keys_; }
  /// Mean time to live of those in milliseconds, 0 without any.
  std::int64_t mean_ttl(Instant now) const;
  bool mostly_stale() const {
    return volatile_keys_ == 0 ? !items_.empty() : items_.size() > 2 * volatile_keys_ + kSlack;
  }
  /// Keeps the items that `live` confirms, one of each.
  void rebuild(const std::function<bool(const Item&)>& live);
  void clear();
  std::size_t memory() const { return items_.capacity() * sizeof(Item); }

 private:
  static constexpr std::size_t kSlack = 64;
  std::vector<Item, Allocator<Item>> items_;
  std::size_t volatile_keys_ = 0;
  __extension__ using WideSum = __int128;
  WideSum due_sum_ = 0;  // of the volatile keys
};

}  // namespace magpie::engine
