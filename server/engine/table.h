#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "protocol/bytes.h"
#include "server/engine/entry.h"
#include "server/engine/entry_heap.h"
#include "server/engine/heat.h"
#include "server/engine/page_list.h"
#include "server/engine/page_pool.h"

namespace magpie::engine {

/// A place in a table's order: the bit-reversed hash. Iteration visits positions upwards, and a key's position never
/// changes, so "resume at position p" misses nothing through growth and shrink.
using Position = std::uint64_t;

/// The hash table of one stripe and database: linear hashing (Litwin, VLDB 1980) over buckets of one cache line with
/// ten places each, and overflow buckets behind them. An insert splits at most one bucket, an erase merges at most one;
/// buckets lie in pages that never move. Owns its entries. Guarded by its stripe's lock.
class alignas(64) Table {
 public:
  Table();
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  std::size_t size() const { return size_; }
  std::size_t buckets() const { return bucket_count_.load(std::memory_order_relaxed); }

  /// An entry and its heat, where they lie; null if there is none. Valid until the next call that changes the table.
  struct Found {
    Entry* entry = nullptr;
    Heat* heat = nullptr;
  };
  Found find(std::uint64_t hash, ByteView key) const;
  /// An entry that is not in the table yet: the next call must be insert() or replace() with it.
  struct Fresh {
    Handle handle;
    Entry* entry;
  };
  /// The content may borrow from an entry that is here.
  Fresh make(const EntryContent& content);
  /// Adds an entry; the key must not be there.
  void insert(std::uint64_t hash, Fresh fresh, Heat heat);
  /// Puts an entry of the same key in the place of the one with this heat, which is freed.
  void replace(const Heat* heat, Fresh fresh);
  /// Frees the entry, which must be there.
  void erase(std::uint64_t hash, const Entry* entry);

  /// Starts the cache misses that find() would wait for: first the bucket, later (when that has arrived) the entry. Any
  /// thread, without the lock, as long as the table lives: they read what others may be changing, and fetch the wrong
  /// line at worst. For that, page lists and the pool's addresses stay valid for good.
  const void* prefetch_bucket(std::uint64_t hash) const;  // where the bucket is
  /// `at` is what prefetch_bucket() has returned, `bytes` what key and value will have, if that is known. Returns the
  /// bucket to go on with in the same way, null at the end.
  const void* prefetch_entry(std::uint64_t hash, const void* at, std::size_t bytes) const;

  /// Buckets that share the bookkeeping of expiry.
  static constexpr std::size_t kGroupBuckets = 8;
  static std::uint32_t group_of_bucket(std::size_t bucket) {
    return static_cast<std::uint32_t>(bucket / kGroupBuckets);
  }
  std::uint32_t group_of(std::uint64_t hash) const { return group_of_bucket(index_of(hash)); }
  /// The bucket that this one was split from, and will be merged into.
  static std::size_t origin_of(std::size_t bucket) { return bucket ^ std::bit_floor(bucket); }

  /// Visits what a chain tells of its entries without touching them: visit(Handle, Heat). The bucket, 0 ..< buckets().
  template <class Visit>
  void visit_heats(std::size_t bucket, Visit&& visit) const {
    visit_places(at(bucket), [&](Place at) { visit(at.handle(), at.heat()); });
  }
  /// The entry with this handle, if it still is in the chain of this bucket.
  Found find_in_chain(std::size_t bucket, Handle handle) const;
  /// Replaces every heat in the chain of a bucket, 0 ..< buckets(), by what the map makes of it.
  void map_heats(std::size_t bucket, const HeatMap& map);

  using Visitor = std::function<void(Entry&)>;
  /// Visits the entries of the bucket that holds `position` and returns where the next bucket starts, 0 at the end.
  /// The visitor must not change the table.
  Position visit_bucket(Position position, const Visitor& visit) const;
  /// The positions of the bucket that holds `position`: from `begin` to before `end`, which is 0 for the last one.
  struct Range {
    Position begin;
    Position end;
    bool holds(Position position) const { return position >= begin && (end == 0 || position < end); }
  };
  Range range_of(Position position) const;
  static Position position_of(std::uint64_t hash);
  /// Visits the entries of a group; the visitor must not change the table.
  void visit_group(std::uint32_t group, const Visitor& visit) const;
  void visit_all(const Visitor& visit) const;
  /// Some entry, chosen by `random`; null if there is none. Roughly uniform.
  Found sample(std::uint64_t random) const;

  /// Frees up to about `limit` entries and returns how many, 0 when all is gone; for tables that nobody uses any more.
  std::size_t free_some(std::size_t limit);
  /// Makes a table whose entries were all freed by free_some() usable again.
  void reset();

  /// Moves entries together where deleting has left pages sparse; about `limit` entries. True if there is more to do.
  bool compact(std::size_t limit);

  /// Bytes of buckets and directory. The pages of a table may have more room.
  std::size_t memory() const;
  /// Bytes of the entries.
  std::size_t entries_memory() const { return heap_.memory(); }
  /// Bytes of the pages that the small entries lie in.
  std::size_t pages_memory() const { return heap_.arena().held(); }
  /// Bytes of them that no entry takes.
  std::size_t unused_memory() const { return heap_.arena().held() - heap_.arena().used(); }

 private:
  static constexpr std::size_t kPlaces = 10;
  static constexpr std::size_t kPageBuckets = PagePool::kPage / 64;
  static constexpr std::size_t kGrowLoad = 10;  // entries per bucket, above which the next insert splits
  static constexpr std::size_t kShrinkLoad = 6;  // below which, with a bucket fewer, the next erase merges
  static constexpr unsigned kPrintShift = 56;  // the hash's top byte is the fingerprint,
  static constexpr unsigned kSpillShift = 53;  // the three bits below choose the bit of `spilled`

  /// Number of an overflow bucket, one more than its index; 0: none.
  using OverflowNumber = std::uint32_t;

  struct alignas(64) Bucket {
    std::array<Handle, kPlaces> handles{};  // 0: the place is empty
    std::array<std::uint8_t, kPlaces> prints{};
    std::array<Heat, kPlaces> heats{};
    std::array<std::uint8_t, 3> overflow{};
    std::uint8_t spilled = 0;  // a bit for each eighth of the hashes of which the buckets behind this one may have some
  };
  static_assert(sizeof(Bucket) == 64);

  struct Place {
    Bucket* bucket;
    std::size_t number;
    Handle& handle() const { return bucket->handles[number]; }
    Heat& heat() const { return bucket->heats[number]; }
  };
  Found found_at(Place at) const { return {heap_.at(at.handle()), &at.heat()}; }

  static std::uint8_t print_of(std::uint64_t hash) { return static_cast<std::uint8_t>(hash >> kPrintShift); }
  static std::uint8_t spill_bit(std::uint64_t hash) {
    return static_cast<std::uint8_t>(1U << (hash >> kSpillShift & 7));
  }
  static constexpr std::size_t kPrintBytes = 16;  // that are looked at together
  static_assert(offsetof(Bucket, prints) + kPrintBytes <= sizeof(Bucket));
  static unsigned matches(const std::uint8_t* prints, std::uint8_t print);
  /// Linear hashing: the low bits of the hash, one fewer where the bucket is not split yet.
  std::size_t index_of(std::uint64_t hash) const {
    const std::size_t wide = hash & wide_mask_.load(std::memory_order_relaxed);
    return wide < buckets() ? wide : hash & low_mask();
  }
  /// Of the buckets that are not split in this round.
  std::size_t low_mask() const { return wide_mask_.load(std::memory_order_relaxed) >> 1; }
  void set_bucket_count(std::size_t count);
  Bucket& at(std::size_t index) const { return pages_[index / kPageBuckets][index % kPageBuckets]; }
  const Bucket* peek_home(std::uint64_t hash) const;
  Bucket& home(std::uint64_t hash) const { return at(index_of(hash)); }
  Bucket* overflow_of(const Bucket& bucket) const;
  Place place_of(std::uint64_t hash, const Entry* entry) const;
  /// A handle on its way into a bucket.
  struct Item {
    std::uint64_t hash;
    Handle handle;
    Heat heat;
  };
  void place(Bucket& first, const Item& item);
  void fill_hole(std::uint64_t hash, Place hole);
  void split_one();
  void merge_one();
  void add_bucket();
  void drop_last_bucket();
  void forget_buckets();
  void add_overflow(Bucket& last);
  void drop_overflow(Bucket& last);
  /// Takes everything out of a chain, which is then one empty bucket.
  void unload(Bucket& first);
  template <class Visit>
  void visit_places(const Bucket& first, Visit&& visit) const {
    for (auto* bucket = const_cast<Bucket*>(&first); bucket != nullptr; bucket = overflow_of(*bucket)) {
      for (std::size_t i = 0; i < kPlaces; ++i) {
        if (bucket->handles[i] != Handle{0}) visit(Place{bucket, i});
      }
    }
  }
  void visit_chain(const Bucket& first, const Visitor& visit) const;
  std::size_t chain_length(const Bucket& first) const;
  Found nth_of_chain(const Bucket& first, std::size_t n) const;

  using Pages = PageList<Bucket>;
  static void add_page(Pages& pages);
  static void drop_page(Pages& pages);

  std::atomic<std::size_t> bucket_count_{0};  // on one line with the pages of tables that are not huge
  std::atomic<std::size_t> wide_mask_{0};  // all bits that a bucket's number may have
  Pages pages_;
  EntryHeap heap_;
  std::size_t size_ = 0;
  Pages overflow_pages_;
  OverflowNumber overflow_end_ = 0;  // overflow buckets that were ever used
  OverflowNumber overflow_free_ = 0;  // first of the free ones, which are linked by their `overflow`
  std::size_t overflow_used_ = 0;
  std::vector<Item> unloaded_;  // what split_one() and merge_one() distribute
  std::optional<std::uint32_t> emptying_;  // the page that compact() is at
};

/// The hash of a key that tables use (XXH3, 64 bits, with the process's seed). The stripe is chosen by other bits: by
/// the key's slot.
std::uint64_t hash_of(ByteView key);
/// Before the first key is hashed: a secret number, so that nobody can choose keys that share a bucket. Tests leave it
/// at its constant.
void set_hash_seed(std::uint64_t seed);

}  // namespace magpie::engine
