#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "protocol/bytes.h"
#include "server/engine/entry.h"
#include "server/engine/memory.h"

namespace magpie::engine {

/// A place in a table's order: the bit-reversed hash. Iteration visits positions upwards, and a key's position never
/// changes, so "resume at position p" misses nothing through growth and shrink.
using Position = std::uint64_t;

/// The hash table of one stripe and database: linear hashing (Litwin, VLDB 1980) over 64-byte buckets of seven tagged
/// pointers and an overflow link. An insert splits at most one bucket, an erase merges at most one; buckets live in
/// chunks that never move. Owns its entries. Guarded by its stripe's lock.
class Table {
 public:
  Table();
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  std::size_t size() const { return size_; }
  std::size_t buckets() const { return bucket_count_; }

  /// Valid until the next call that changes the table.
  Entry* find(std::uint64_t hash, ByteView key) const;
  /// The key must not be there.
  void insert(std::uint64_t hash, Entry::Owner entry);
  /// Puts `entry` in the place of `old`, which is freed; same key.
  void replace(std::uint64_t hash, Entry* old, Entry::Owner entry);
  /// Takes the entry out; it must be there.
  Entry::Owner remove(std::uint64_t hash, const Entry* entry);

  /// Starts the cache misses that find() would wait for: first the bucket, later (when that has arrived) the entry.
  void prefetch_bucket(std::uint64_t hash) const { __builtin_prefetch(&home(hash)); }
  void prefetch_entry(std::uint64_t hash) const;

  using Visitor = std::function<void(Entry&)>;
  /// Visits the entries of the bucket that holds `position` and returns where the next bucket starts, 0 at the end.
  /// The visitor must not change the table.
  Position visit_bucket(Position position, const Visitor& visit) const;
  /// Visits the entries with this hash (nearly always at most one); the visitor must not change the table.
  void visit_hash(std::uint64_t hash, const Visitor& visit) const;
  void visit_all(const Visitor& visit) const;
  /// Some entry, chosen by `random`; nullptr if there is none. Roughly uniform.
  Entry* sample(std::uint64_t random) const;
  /// Frees up to `limit` entries, last buckets first, and returns how many; for tables that nobody uses any more.
  std::size_t free_some(std::size_t limit);

  /// Bytes of buckets and directory.
  std::size_t memory() const;

 private:
  static constexpr std::size_t kSlots = 7;
  static constexpr std::size_t kChunkBuckets = 16;
  static constexpr std::size_t kGrowLoad = 5;    // entries per bucket, above which the next insert splits
  static constexpr std::size_t kShrinkLoad = 2;  // below which the next erase merges

  /// Entry address in the low 48 bits, 16 bits of the hash above; 0 is an empty slot.
  using Slot = std::uint64_t;
  struct alignas(64) Bucket {
    std::array<Slot, kSlots> slots{};
    Bucket* overflow = nullptr;
  };
  static_assert(sizeof(Bucket) == 64);

  static Slot make_slot(std::uint64_t hash, Entry* entry);
  static Entry* entry_of(Slot slot);
  std::size_t index_of(std::uint64_t hash) const;
  Bucket& at(std::size_t index) const { return chunks_[index / kChunkBuckets][index % kChunkBuckets]; }
  Bucket& home(std::uint64_t hash) const { return at(index_of(hash)); }
  Slot* slot_of(std::uint64_t hash, const Entry* entry) const;
  void place(Bucket& bucket, Slot slot);
  void split_one();
  void merge_one();
  void add_bucket();
  void drop_last_bucket();
  void compact(Bucket& bucket);
  void free_overflow(Bucket& bucket);
  template <class Visit>
  static void visit_slots(const Bucket& first, Visit&& visit);
  static void visit_chain(const Bucket& first, const Visitor& visit);
  static std::size_t chain_length(const Bucket& first);
  static Entry* nth_of_chain(const Bucket& first, std::size_t n);

  std::vector<Bucket*, Allocator<Bucket*>> chunks_;
  std::size_t bucket_count_ = 0;
  std::size_t low_mask_ = 0;  // 2^level - 1: buckets below bucket_count_ - 2^level are already split
  std::size_t size_ = 0;
  std::size_t overflow_buckets_ = 0;
};

/// The hash of a key that tables use (XXH3, 64 bits, with the process's seed). The stripe is chosen by other bits: by
/// the key's slot.
std::uint64_t hash_of(ByteView key);
/// Before the first key is hashed: a secret number, so that nobody can choose keys that share a bucket. Tests leave it
/// at its constant.
void set_hash_seed(std::uint64_t seed);

}  // namespace magpie::engine
