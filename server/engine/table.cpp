#include "server/engine/table.h"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace magpie::engine {
namespace {

std::uint64_t hash_seed = 0;

constexpr unsigned kAddressBits = 48;
constexpr std::uint64_t kAddressMask = (std::uint64_t{1} << kAddressBits) - 1;
constexpr std::uint64_t kTagMask = ~kAddressMask;

std::uint64_t reverse_bits(std::uint64_t v) {
  v = __builtin_bswap64(v);
  v = ((v >> 4) & 0x0f0f0f0f0f0f0f0f) | ((v & 0x0f0f0f0f0f0f0f0f) << 4);
  v = ((v >> 2) & 0x3333333333333333) | ((v & 0x3333333333333333) << 2);
  return ((v >> 1) & 0x5555555555555555) | ((v & 0x5555555555555555) << 1);
}

}  // namespace

std::uint64_t hash_of(ByteView key) { return XXH3_64bits_withSeed(key.data(), key.size(), hash_seed); }
void set_hash_seed(std::uint64_t seed) { hash_seed = seed; }

Table::Table() { add_bucket(); }

Table::~Table() {
  while (size_ > 0) free_some(size_);
  while (bucket_count_ > 0) drop_last_bucket();
}

Table::Slot Table::make_slot(std::uint64_t hash, Entry* entry) {
  return (hash & kTagMask) | reinterpret_cast<std::uint64_t>(entry);
}

Entry* Table::entry_of(Slot slot) {
  return reinterpret_cast<Entry*>(slot & kAddressMask);  // NOLINT(performance-no-int-to-ptr): the tag shares the word
}

std::size_t Table::index_of(std::uint64_t hash) const {
  const std::size_t wide = hash & ((low_mask_ << 1) | 1);
  return wide < bucket_count_ ? wide : hash & low_mask_;
}

Entry* Table::find(std::uint64_t hash, ByteView key) const {
  const std::uint64_t tag = hash & kTagMask;
  for (const Bucket* bucket = &home(hash); bucket != nullptr; bucket = bucket->overflow) {
    for (const Slot slot : bucket->slots) {
      if ((slot & kTagMask) != tag || slot == 0) continue;
      Entry* entry = entry_of(slot);
      if (entry != nullptr && entry->key() == key) return entry;
    }
  }
  return nullptr;
}

void Table::prefetch_entry(std::uint64_t hash) const {
  const std::uint64_t tag = hash & kTagMask;
  for (const Slot slot : home(hash).slots) {
    if ((slot & kTagMask) == tag) __builtin_prefetch(entry_of(slot));
  }
}

void Table::place(Bucket& bucket, Slot slot) {
  Bucket* at = &bucket;
  while (true) {
    for (Slot& free : at->slots) {
      if (free == 0) {
        free = slot;
        return;
      }
    }
    if (at->overflow == nullptr) {
      at->overflow = new (allocate_aligned(sizeof(Bucket), alignof(Bucket))) Bucket;
      ++overflow_buckets_;
    }
    at = at->overflow;
  }
}

void Table::insert(std::uint64_t hash, Entry::Owner entry) {
  if (size_ >= bucket_count_ * kGrowLoad) split_one();
  place(home(hash), make_slot(hash, entry.release()));
  ++size_;
}

Table::Slot* Table::slot_of(std::uint64_t hash, const Entry* entry) const {
  for (Bucket* bucket = &home(hash); bucket != nullptr; bucket = bucket->overflow) {
    for (Slot& slot : bucket->slots) {
      if (slot != 0 && entry_of(slot) == entry) return &slot;
    }
  }
  return nullptr;
}

void Table::replace(std::uint64_t hash, Entry* old, Entry::Owner entry) {
  *slot_of(hash, old) = make_slot(hash, entry.release());
  Entry::Owner(old).reset();
}

Entry::Owner Table::remove(std::uint64_t hash, const Entry* entry) {
  Slot& slot = *slot_of(hash, entry);
  Entry::Owner owner(entry_of(slot));
  slot = 0;
  if (Bucket& bucket = home(hash); bucket.overflow != nullptr) compact(bucket);
  --size_;
  if (bucket_count_ > 1 && size_ < bucket_count_ * kShrinkLoad) merge_one();
  return owner;
}

/// Moves the entries of a chain to its front and frees the overflow buckets that this empties.
void Table::compact(Bucket& bucket) {
  Bucket* to = &bucket;
  std::size_t to_slot = 0;
  for (Bucket* from = &bucket; from != nullptr; from = from->overflow) {
    for (Slot& slot : from->slots) {
      if (slot == 0) continue;
      const Slot moved = std::exchange(slot, 0);
      if (to_slot == kSlots) {
        to = to->overflow;
        to_slot = 0;
      }
      to->slots[to_slot++] = moved;
    }
  }
  free_overflow(*to);
}

/// Frees the overflow buckets behind this bucket, which must be empty.
void Table::free_overflow(Bucket& bucket) {
  while (bucket.overflow != nullptr) {
    deallocate(std::exchange(bucket.overflow, bucket.overflow->overflow));
    --overflow_buckets_;
  }
}

void Table::add_bucket() {
  if (bucket_count_ == chunks_.size() * kChunkBuckets) {
    auto* chunk = static_cast<Bucket*>(allocate_aligned(sizeof(Bucket) * kChunkBuckets, alignof(Bucket)));
    for (std::size_t i = 0; i < kChunkBuckets; ++i) new (chunk + i) Bucket;
    chunks_.push_back(chunk);
  }
  ++bucket_count_;
  if (bucket_count_ - 1 > low_mask_ * 2 + 1) low_mask_ = low_mask_ * 2 + 1;
}

/// The last bucket must be empty, overflow chain included.
void Table::drop_last_bucket() {
  --bucket_count_;
  if (bucket_count_ > 0 && bucket_count_ - 1 <= low_mask_ && low_mask_ > 0) low_mask_ >>= 1;
  if (bucket_count_ == (chunks_.size() - 1) * kChunkBuckets) {
    deallocate(chunks_.back());
    chunks_.pop_back();
    if (chunks_.size() * 4 < chunks_.capacity()) chunks_.shrink_to_fit();
  }
}

void Table::split_one() {
  add_bucket();
  Bucket& upper = at(bucket_count_ - 1);
  const std::size_t upper_index = bucket_count_ - 1;
  const std::size_t bit = low_mask_ + 1;
  Bucket& lower = at(upper_index & low_mask_);
  for (Bucket* bucket = &lower; bucket != nullptr; bucket = bucket->overflow) {
    for (Slot& slot : bucket->slots) {
      if (slot != 0 && (hash_of(entry_of(slot)->key()) & bit) != 0) place(upper, std::exchange(slot, 0));
    }
  }
  compact(lower);
}

void Table::merge_one() {
  const std::size_t upper_index = bucket_count_ - 1;
  Bucket& lower = at(upper_index & low_mask_);
  Bucket& upper = at(upper_index);
  for (Bucket* bucket = &upper; bucket != nullptr; bucket = bucket->overflow) {
    for (Slot& slot : bucket->slots) {
      if (slot != 0) place(lower, std::exchange(slot, 0));
    }
  }
  free_overflow(upper);
  drop_last_bucket();
}

template <class Visit>
void Table::visit_slots(const Bucket& first, Visit&& visit) {
  for (const Bucket* bucket = &first; bucket != nullptr; bucket = bucket->overflow) {
    for (const Slot slot : bucket->slots) {
      if (slot != 0) visit(slot);
    }
  }
}

void Table::visit_chain(const Bucket& first, const Visitor& visit) {
  visit_slots(first, [&](Slot slot) { visit(*entry_of(slot)); });
}

Position Table::visit_bucket(Position position, const Visitor& visit) const {
  const std::size_t index = index_of(reverse_bits(position));
  visit_chain(at(index), visit);
  // A bucket covers the positions that share its low hash bits: one bit more where it is already split.
  const std::size_t wide = (low_mask_ << 1) | 1;
  const bool split = index > low_mask_ || index + low_mask_ + 1 < bucket_count_;
  const auto bits = static_cast<unsigned>(std::popcount(split ? wide : low_mask_));
  if (bits == 0) return 0;
  const Position width = Position{1} << (64 - bits);
  return reverse_bits(index) + width;  // wraps to 0 behind the last one
}

void Table::visit_hash(std::uint64_t hash, const Visitor& visit) const {
  const std::uint64_t tag = hash & kTagMask;
  for (const Bucket* bucket = &home(hash); bucket != nullptr; bucket = bucket->overflow) {
    for (const Slot slot : bucket->slots) {
      if (slot != 0 && (slot & kTagMask) == tag && hash_of(entry_of(slot)->key()) == hash) visit(*entry_of(slot));
    }
  }
}

void Table::visit_all(const Visitor& visit) const {
  for (std::size_t index = 0; index < bucket_count_; ++index) visit_chain(at(index), visit);
}

std::size_t Table::chain_length(const Bucket& first) {
  std::size_t count = 0;
  visit_slots(first, [&](Slot) { ++count; });
  return count;
}

Entry* Table::nth_of_chain(const Bucket& first, std::size_t n) {
  Entry* found = nullptr;
  visit_slots(first, [&](Slot slot) {
    if (n-- == 0) found = entry_of(slot);
  });
  return found;
}

Entry* Table::sample(std::uint64_t random) const {
  if (size_ == 0) return nullptr;
  // A place of a bucket is drawn, and another one if that is empty: else entries of short chains would be drawn more.
  constexpr int kFairTries = 4;
  for (int attempt = 0; attempt < kFairTries; ++attempt) {
    const Bucket& bucket = at((random >> 16) % bucket_count_);
    const std::size_t count = chain_length(bucket);
    const std::size_t place = (random & 0xffff) % std::max(count, kSlots);
    if (place < count) return nth_of_chain(bucket, place);
    random = std::rotl(random * 0x9e3779b97f4a7c15 + 1, 29);
  }
  for (std::size_t index = (random >> 16) % bucket_count_;; index = (index + 1) % bucket_count_) {
    const std::size_t count = chain_length(at(index));
    if (count > 0) return nth_of_chain(at(index), (random & 0xffff) % count);
  }
}

std::size_t Table::free_some(std::size_t limit) {
  std::size_t freed = 0;
  while (freed < limit && size_ > 0) {
    Bucket& last = at(bucket_count_ - 1);
    for (Bucket* bucket = &last; bucket != nullptr; bucket = bucket->overflow) {
      for (Slot& slot : bucket->slots) {
        if (slot == 0) continue;
        Entry::Owner(entry_of(std::exchange(slot, 0))).reset();
        ++freed;
        --size_;
      }
    }
    free_overflow(last);
    if (bucket_count_ > 1) drop_last_bucket();
  }
  return freed;
}

std::size_t Table::memory() const {
  return chunks_.capacity() * sizeof(Bucket*) + (chunks_.size() * kChunkBuckets + overflow_buckets_) * sizeof(Bucket);
}

}  // namespace magpie::engine
