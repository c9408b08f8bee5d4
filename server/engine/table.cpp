#include "server/engine/table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "protocol/check.h"

namespace magpie::engine {
namespace {

std::uint64_t hash_seed = 0;

constexpr Handle kEmpty{0};

/// Overflow numbers are kept in three bytes.
std::uint32_t load_number(const std::array<std::uint8_t, 3>& from) {
  return from[0] | std::uint32_t{from[1]} << 8 | std::uint32_t{from[2]} << 16;
}
void store_number(std::array<std::uint8_t, 3>& to, std::uint32_t number) {
  CHECK(number < std::uint32_t{1} << 24);
  to = {static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(number >> 8),
        static_cast<std::uint8_t>(number >> 16)};
}

}  // namespace

std::uint64_t hash_of(ByteView key) { return XXH3_64bits_withSeed(key.data(), key.size(), hash_seed); }
void set_hash_seed(std::uint64_t seed) { hash_seed = seed; }

Table::Table() { add_bucket(); }

Table::~Table() {
  forget_buckets();
  while (!pages_.empty()) drop_page(pages_);
  while (!overflow_pages_.empty()) drop_page(overflow_pages_);
}

/// All of them, with what is in them; their pages are left.
void Table::forget_buckets() {
  account(-static_cast<std::int64_t>((buckets() + overflow_used_) * sizeof(Bucket)));
  set_bucket_count(0);
  overflow_used_ = 0;
}

void Table::set_bucket_count(std::size_t count) {
  wide_mask_.store(std::bit_ceil(count) - 1, std::memory_order_relaxed);
  bucket_count_.store(count, std::memory_order_release);
}

void Table::add_page(Pages& pages) {
  auto* const buckets = static_cast<Bucket*>(PagePool::instance().take());
  for (std::size_t i = 0; i < kPageBuckets; ++i) new (buckets + i) Bucket;
  pages.push_back(buckets);
}

void Table::drop_page(Pages& pages) {
  PagePool::instance().give(pages.back());
  pages.pop_back();
}

// --- one chain ---

/// The places whose fingerprint is this one, as bits; empty places may be among them. Of a bucket's fingerprints and
/// what follows them, kPrintBytes are there.
unsigned Table::matches(const std::uint8_t* prints, std::uint8_t print) {
  constexpr unsigned kAll = (1U << kPlaces) - 1;
#if defined(__SSE2__) && !defined(MAGPIE_PLAIN)
  static_assert(sizeof(__m128i) == kPrintBytes);
  const __m128i there = _mm_loadu_si128(reinterpret_cast<const __m128i*>(prints));
  const __m128i wanted = _mm_set1_epi8(static_cast<char>(print));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(there, wanted))) & kAll;
#else
  unsigned bits = 0;
  for (std::size_t i = 0; i < kPlaces; ++i) bits |= static_cast<unsigned>(prints[i] == print) << i;
  return bits & kAll;
#endif
}

Table::Bucket* Table::overflow_of(const Bucket& bucket) const {
  const OverflowNumber number = load_number(bucket.overflow);
  return number == 0 ? nullptr : &overflow_pages_[(number - 1) / kPageBuckets][(number - 1) % kPageBuckets];
}

Table::Found Table::find(std::uint64_t hash, ByteView key) const {
  const std::uint8_t print = print_of(hash);
  for (Bucket* bucket = &home(hash);; bucket = overflow_of(*bucket)) {
    for (unsigned bits = matches(bucket->prints.data(), print); bits != 0; bits &= bits - 1) {
      const auto number = static_cast<std::size_t>(std::countr_zero(bits));
      const Handle handle = bucket->handles[number];
      if (handle == kEmpty) continue;
      Entry* const entry = heap_.at(handle);
      if (same_bytes(entry->key(), key)) return {entry, &bucket->heats[number]};
    }
    if ((bucket->spilled & spill_bit(hash)) == 0) return {};
  }
}

const Table::Bucket* Table::peek_home(std::uint64_t hash) const {
  if (buckets() == 0) return nullptr;
  const std::size_t index = index_of(hash);
  const Bucket* const page = pages_.peek(index / kPageBuckets);
  return page == nullptr ? nullptr : page + index % kPageBuckets;
}

const void* Table::prefetch_bucket(std::uint64_t hash) const {
  if (!kShortCuts) return nullptr;
  const Bucket* const home = peek_home(hash);
  __builtin_prefetch(home);
  return home;
}

// The bucket may be changing, or its page be something else's by now: any handle is good enough to fetch ahead. Hence
// no sanitizer, and copies, which everything that is checked works on; of no more than is needed, because a copy that
// is read in other pieces than it was written in holds up everything behind it.
#if defined(__clang__)
[[clang::no_sanitize("thread")]]
#endif
const void* Table::prefetch_entry(std::uint64_t hash, const void* at, std::size_t bytes_of_entry) const {
  const auto* const bytes = static_cast<const std::uint8_t*>(at);
  std::array<std::uint8_t, kPrintBytes> prints;
  std::memcpy(prints.data(), bytes + offsetof(Bucket, prints), sizeof prints);
  const unsigned found = matches(prints.data(), print_of(hash));
  for (unsigned bits = found; bits != 0; bits &= bits - 1) {
    const auto number = static_cast<std::size_t>(std::countr_zero(bits));
    Handle handle{};
    std::memcpy(&handle, bytes + offsetof(Bucket, handles) + number * sizeof handle, sizeof handle);
    heap_.prefetch(handle, bytes_of_entry);
  }
  std::array<std::uint8_t, 4> end;  // `overflow` and `spilled`
  std::memcpy(end.data(), bytes + offsetof(Bucket, overflow), sizeof end);
  const OverflowNumber number = load_number({end[0], end[1], end[2]});
  if (found != 0 || (end[3] & spill_bit(hash)) == 0 || number == 0) [[likely]] {
    return nullptr;
  }
  const Bucket* const page = overflow_pages_.peek((number - 1) / kPageBuckets);
  if (page == nullptr) return nullptr;
  __builtin_prefetch(page + (number - 1) % kPageBuckets);
  return page + (number - 1) % kPageBuckets;
}

Table::Place Table::place_of(std::uint64_t hash, const Entry* entry) const {
  const std::uint8_t print = print_of(hash);
  for (Bucket* bucket = &home(hash);; bucket = overflow_of(*bucket)) {
    for (unsigned bits = matches(bucket->prints.data(), print); bits != 0; bits &= bits - 1) {
      const auto number = static_cast<std::size_t>(std::countr_zero(bits));
      const Handle handle = bucket->handles[number];
      if (handle != kEmpty && heap_.at(handle) == entry) return {bucket, number};
    }
  }
}

void Table::add_overflow(Bucket& last) {
  OverflowNumber number = overflow_free_;
  if (number == 0) {
    if (overflow_end_ == overflow_pages_.size() * kPageBuckets) add_page(overflow_pages_);
    number = ++overflow_end_;
  }
  store_number(last.overflow, number);
  Bucket& added = *overflow_of(last);
  if (number == overflow_free_) overflow_free_ = load_number(added.overflow);
  added = {};
  ++overflow_used_;
  account(sizeof(Bucket));
}

/// Frees the bucket behind `last`, which must be the end of its chain and empty.
void Table::drop_overflow(Bucket& last) {
  const OverflowNumber number = load_number(last.overflow);
  store_number(overflow_of(last)->overflow, overflow_free_);
  overflow_free_ = number;
  last.overflow = {};
  last.spilled = 0;
  account(-static_cast<std::int64_t>(sizeof(Bucket)));
  if (--overflow_used_ > 0) return;
  while (!overflow_pages_.empty()) drop_page(overflow_pages_);
  overflow_end_ = overflow_free_ = 0;
}

void Table::place(Bucket& first, const Item& item) {
  for (Bucket* bucket = &first;; bucket = overflow_of(*bucket)) {
    for (std::size_t i = 0; i < kPlaces; ++i) {
      if (bucket->handles[i] != kEmpty) continue;
      bucket->handles[i] = item.handle;
      bucket->prints[i] = print_of(item.hash);
      bucket->heats[i] = item.heat;
      return;
    }
    if (overflow_of(*bucket) == nullptr) add_overflow(*bucket);
    bucket->spilled |= spill_bit(item.hash);
  }
}

/// Moves the last entry of the chain into the place that became empty, so that only a chain's last bucket has empty
/// places, and frees that bucket once it is empty. The filters on the way may then say "maybe" without need.
void Table::fill_hole(std::uint64_t hash, Place hole) {
  Bucket* before = nullptr;
  Bucket* last = &home(hash);
  for (Bucket* next = overflow_of(*last); next != nullptr; next = overflow_of(*last))
    before = std::exchange(last, next);
  if (before == nullptr) return;
  std::size_t number = kPlaces;
  while (number > 0 && last->handles[number - 1] == kEmpty) --number;
  if (number > 0 && !(last == hole.bucket && number - 1 < hole.number)) {
    hole.handle() = std::exchange(last->handles[number - 1], kEmpty);
    hole.bucket->prints[hole.number] = last->prints[number - 1];
    hole.heat() = last->heats[number - 1];
  }
  if (std::ranges::all_of(last->handles, [](Handle handle) { return handle == kEmpty; })) drop_overflow(*before);
}

void Table::unload(Bucket& first) {
  unloaded_.clear();
  visit_places(first, [&](Place at) { heap_.prefetch(at.handle()); });
  visit_places(first,
               [&](Place at) { unloaded_.push_back({hash_of(heap_.at(at.handle())->key()), at.handle(), at.heat()}); });
  while (overflow_of(first) != nullptr) {
    Bucket* last = &first;
    for (Bucket* next = overflow_of(*last); overflow_of(*next) != nullptr; next = overflow_of(*last)) last = next;
    drop_overflow(*last);
  }
  first = {};
}

// --- entries ---

Table::Fresh Table::make(const EntryContent& content) {
  const Handle handle = heap_.make(content);
  return {handle, heap_.at(handle)};
}

void Table::insert(std::uint64_t hash, Fresh fresh, Heat heat) {
  if (size_ >= buckets() * kGrowLoad) split_one();
  place(home(hash), {hash, fresh.handle, heat});
  ++size_;
}

void Table::replace(const Heat* heat, Fresh fresh) {
  // Buckets are aligned, so the address of a heat tells its place.
  const auto offset = reinterpret_cast<std::uintptr_t>(heat) % sizeof(Bucket);
  auto* const bucket = reinterpret_cast<Bucket*>(const_cast<char*>(reinterpret_cast<const char*>(heat) - offset));
  heap_.free(std::exchange(bucket->handles[offset - offsetof(Bucket, heats)], fresh.handle));
}

void Table::erase(std::uint64_t hash, const Entry* entry) {
  const Place at = place_of(hash, entry);
  heap_.free(std::exchange(at.handle(), kEmpty));
  fill_hole(hash, at);
  --size_;
  if (size_ < (buckets() - 1) * kShrinkLoad) merge_one();
}

// --- buckets ---

void Table::add_bucket() {
  if (buckets() == pages_.size() * kPageBuckets) add_page(pages_);
  set_bucket_count(buckets() + 1);
  account(sizeof(Bucket));
}

/// The last bucket must be empty.
void Table::drop_last_bucket() {
  set_bucket_count(buckets() - 1);
  account(-static_cast<std::int64_t>(sizeof(Bucket)));
  if (buckets() == (pages_.size() - 1) * kPageBuckets) drop_page(pages_);
}

void Table::split_one() {
  add_bucket();
  const std::size_t upper = buckets() - 1;
  unload(at(upper & low_mask()));
  for (const Item& item : unloaded_) place(home(item.hash), item);
}

void Table::merge_one() {
  const std::size_t upper = buckets() - 1;
  unload(at(upper));
  Bucket& lower = at(upper & low_mask());
  for (const Item& item : unloaded_) place(lower, item);
  drop_last_bucket();
}

// --- all of it ---

std::size_t Table::free_some(std::size_t limit) {
  constexpr std::size_t kPagesByEntry = 4;  // there are fewer pages than entries, so these are gone first
  forget_buckets();
  const std::size_t freed = heap_.free_some(limit);
  size_ -= freed;
  std::size_t most = size_ == 0 ? SIZE_MAX : limit * kPagesByEntry;
  for (Pages* pages : {&pages_, &overflow_pages_}) {
    for (; most > 0 && !pages->empty(); --most) drop_page(*pages);
  }
  return freed;
}

void Table::reset() {
  CHECK(size_ == 0);
  heap_.reset();
  emptying_.reset();
  overflow_end_ = overflow_free_ = 0;
  add_bucket();
}

bool Table::compact(std::size_t limit) {
  while (limit > 0) {
    constexpr std::size_t kPagesByEntry = 8;  // to look at a page costs less than to move an entry
    if (!emptying_) emptying_ = heap_.arena().set_aside(limit * kPagesByEntry);
    if (!emptying_) break;
    const std::optional<Handle> from = heap_.arena().first_used(*emptying_);
    if (!from) {
      emptying_.reset();
      continue;
    }
    const Entry* const entry = heap_.at(*from);
    const std::uint64_t hash = hash_of(entry->key());
    const Place at = place_of(hash, entry);  // while the entry is still there to be compared with
    at.handle() = heap_.move(at.handle());
    --limit;
  }
  return emptying_ || heap_.arena().sparse();
}

std::size_t Table::memory() const {
  return pages_.memory() + overflow_pages_.memory() + (buckets() + overflow_used_) * sizeof(Bucket);
}

}  // namespace magpie::engine
