#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "server/engine/instant.h"
#include "server/engine/memory.h"

namespace magpie::engine {

/// When keys of one table fall due: for each group of buckets the earliest time, or an earlier one if keys have left,
/// and a binary heap of the groups. It knows no keys: whoever meets a group looks at its entries and settles it anew.
/// Costs about 16 bytes a group, with or without a time. Guarded by the stripe's lock.
class ExpiryIndex {
 public:
  using Group = std::uint32_t;  // below 2^24

  /// A key of the group is due then.
  void note(Group group, Instant due);
  /// The exact earliest time of the group, after a look at its entries; nothing: no key has one.
  void settle(Group group, std::optional<Instant> earliest);
  /// Keys of `from` have moved to `to`.
  void moved(Group from, Group to);
  /// The last group, which has no buckets any more.
  void drop(Group group);

  struct Due {
    Group group;
    Instant at;  // no key of any group is due before; at the ends of what fits 40 bits of ms since 2020 it may be off
  };
  std::optional<Due> earliest();
  /// Whether the group may have keys with a time.
  bool has_time(Group group) const { return time_of(group) != kNone; }
  /// Some group that may have keys with a time; nothing if there is none.
  std::optional<Group> sample(std::uint64_t random) const;

  /// One key with an expiry more or less, of the given time.
  void count(Instant due, int change);
  /// Keys that have an expiry.
  std::size_t volatile_keys() const { return volatile_keys_; }
  /// Mean time to live of those in milliseconds, 0 without any.
  std::int64_t mean_ttl(Instant now) const;
  void clear();
  std::size_t memory() const { return items_.capacity() * sizeof(Item) + earliest_.capacity() * sizeof(std::uint64_t); }

 private:
  /// Time in the upper 40 bits, group in the lower 24: ordered as a number.
  using Item = std::uint64_t;

  void push(Group group, std::uint64_t time);
  void rebuild();
  std::uint64_t time_of(Group group) const { return group < earliest_.size() ? earliest_[group] : kNone; }
  void set(Group group, std::uint64_t time);

  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  static constexpr std::size_t kSlack = 64;

  std::vector<Item, Allocator<Item>> items_;  // a heap; an item that is not its group's earliest time is stale
  std::vector<std::uint64_t, Allocator<std::uint64_t>> earliest_;  // by group
  std::size_t timed_groups_ = 0;  // that have a time
  std::size_t volatile_keys_ = 0;
  __extension__ using WideSum = __int128;
  WideSum due_sum_ = 0;  // of the volatile keys
};

}  // namespace magpie::engine
