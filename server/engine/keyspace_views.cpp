// The keyspace as a whole: sizes, digest, scan, random keys. Single keys are in keyspace.cpp.

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "server/engine/keyspace.h"
#include "server/engine/random.h"

namespace magpie::engine {

std::uint64_t Keyspace::keys(Db db) const {
  std::uint64_t sum = 0;
  for (const Stripe& at : stripes_) {
    if (const Partition* partition = at.partition(db)) sum += partition->table.size();
  }
  return sum;
}

Keyspace::DatabaseSize Keyspace::size(Db db, Instant now) const {
  DatabaseSize total;
  __extension__ using WideSum = __int128;
  WideSum weighted_ttl = 0;
  for (const Stripe& at : stripes_) {
    const Partition* partition = at.partition(db);
    if (partition == nullptr) continue;
    const auto volatile_keys = static_cast<std::int64_t>(partition->expiries.volatile_keys());
    total.keys += partition->table.size();
    total.volatile_keys += static_cast<std::uint64_t>(volatile_keys);
    weighted_ttl += static_cast<WideSum>(partition->expiries.mean_ttl(now)) * volatile_keys;
  }
  if (total.volatile_keys > 0) {
    total.mean_ttl_ms = static_cast<std::int64_t>(weighted_ttl / static_cast<WideSum>(total.volatile_keys));
  }
  return total;
}

void Keyspace::visit_all(Db db, const Table::Visitor& visit) const {
  for (const Stripe& at : stripes_) {
    if (const Partition* partition = at.partition(db)) partition->table.visit_all(visit);
  }
}

namespace {

bool has_keys(const Partition* partition) { return partition != nullptr && partition->table.size() > 0; }

/// The one with the most buckets, of which the others' buckets hold whole ones; null if there are no keys.
const Partition* finest_of(const Stripe& at) {
  const Partition* finest = nullptr;
  for (std::uint32_t db = 0; db < at.end; ++db) {
    const Partition* const partition = at.partition(Db{db});
    if (!has_keys(partition)) continue;
    if (finest == nullptr || partition->table.buckets() > finest->table.buckets()) finest = partition;
  }
  return finest;
}

}  // namespace

Position Keyspace::read_part(StripeIndex index, Position from, const PartVisitor& visit) const {
  const Stripe& at = stripe(index);
  const Partition* const finest = finest_of(at);
  if (finest == nullptr) return 0;
  const Table::Range bucket = finest->table.range_of(from);
  const Table::Range wanted{from, bucket.end};
  for (std::uint32_t db = 0; db < at.end; ++db) {
    const Partition* const partition = at.partition(Db{db});
    if (!has_keys(partition)) continue;
    const bool all = partition == finest && bucket.begin == from;
    partition->table.visit_bucket(from, [&](const Entry& entry) {
      if (all || wanted.holds(Table::position_of(hash_of(entry.key())))) visit(Db{db}, entry);
    });
  }
  return wanted.end;
}

namespace {
XXH128_hash_t hash_text(const StringValue& value, std::uint64_t seed) {
  IntegerScratch scratch;
  const ByteView text = text_of(value, scratch);
  return XXH3_128bits_withSeed(text.data(), text.size(), seed);
}

XXH128_hash_t hash_value(const Entry& entry, std::uint64_t seed) {
  if (entry.type() == ValueType::String) return hash_text(entry.string(), seed);
  // Each element with the sum of those before it, so that their order and borders count.
  XXH128_hash_t sum{~seed, seed};
  for (ListView::Cursor at(entry.list(), 0); at.valid(); at.next()) {
    sum = hash_text(at.value(), sum.low64 ^ (sum.high64 << 1));
  }
  return sum;
}

XXH128_hash_t hash_entry(Db db, const Entry& entry) {
  const std::int64_t expiry = entry.expiry() ? entry.expiry()->ms : -1;
  const std::uint64_t seed =
      XXH3_64bits_withSeed(entry.key().data(), entry.key().size(), index_of(db)) ^ XXH3_64bits(&expiry, sizeof expiry);
  return hash_value(entry, seed);
}
}  // namespace

std::uint64_t Keyspace::digest_of(Db db, const Entry& entry) const { return hash_entry(db, entry).low64; }

std::array<std::uint64_t, 2> Keyspace::digest() const {
  std::array<std::uint64_t, 2> sum{};
  for (std::uint32_t db = 0; db < databases(); ++db) {
    visit_all(Db{db}, [&](Entry& entry) {
      const XXH128_hash_t one = hash_entry(Db{db}, entry);
      sum[0] += one.low64;
      sum[1] += one.high64;
    });
  }
  return sum;
}

// A cursor holds a table position and, in its low six bits, the stripe: bits that positions of tables below 2^48
// buckets do not use once they are shifted right by ten.
namespace {
constexpr unsigned kCursorShift = 10;
constexpr std::uint64_t kStripeBits = kStripes - 1;
constexpr std::size_t kMostScanCount = std::size_t{1} << 32;  // more than there are keys
constexpr std::size_t kBucketsPerKey = 10;  // as many empty ones as Redis visits for a key asked for

/// What one call of scan() may still visit.
struct ScanBudget {
  std::size_t keys;
  std::size_t buckets;
  bool spent() const { return keys == 0 || buckets == 0; }
};

/// Visits buckets from `position` on until the budget is spent or the table ends; returns where to go on, 0 at the end.
Position scan_table(const Table& table, Position position, ScanBudget& budget, const Table::Visitor& visit) {
  do {
    --budget.buckets;
    position = table.visit_bucket(position, [&](Entry& entry) {
      if (budget.keys > 0) --budget.keys;
      visit(entry);
    });
  } while (position != 0 && !budget.spent());
  return position;
}
}  // namespace

std::uint64_t Keyspace::scan(Db db, std::uint64_t cursor, std::size_t count, bool held, const Table::Visitor& visit) {
  unsigned number = static_cast<unsigned>(cursor & kStripeBits);
  Position position = (cursor & ~kStripeBits) << kCursorShift;
  count = std::clamp(count, std::size_t{1}, kMostScanCount);
  ScanBudget budget{count, count * kBucketsPerKey};
  for (; number < kStripes; ++number, position = 0) {
    if (budget.spent()) return number;
    const Guard guard = held ? Guard() : lock(mask_of(stripe_at(number)));
    const Partition* partition = stripes_[stripe_at(number)].partition(db);
    if (partition == nullptr || partition->table.size() == 0) continue;
    position = scan_table(partition->table, position, budget, visit);
    if (position != 0) return position >> kCursorShift | number;
  }
  return 0;
}

namespace {
const Entry* first_live(const Table& table, Instant now) {
  const Entry* live = nullptr;
  Position position = 0;
  do {
    position = table.visit_bucket(position, [&](const Entry& entry) {
      if (live == nullptr && !entry.expired(now)) live = &entry;
    });
  } while (live == nullptr && position != 0);
  return live;
}
}  // namespace

std::optional<std::string> Keyspace::first_live_key(Db db, Instant now, bool held) {
  for (unsigned number = 0; number < kStripes; ++number) {
    const Guard guard = held ? Guard() : lock(mask_of(stripe_at(number)));
    const Partition* partition = stripes_[stripe_at(number)].partition(db);
    const Entry* entry = partition == nullptr ? nullptr : first_live(partition->table, now);
    if (entry != nullptr) return std::string(entry->key());
  }
  return std::nullopt;
}

std::optional<std::string> Keyspace::random_key(Db db, Instant now, bool held) {
  const auto with_table = [&](unsigned number, auto&& use) {
    const Guard guard = held ? Guard() : lock(mask_of(stripe_at(number)));
    if (const Partition* partition = stripes_[stripe_at(number)].partition(db)) use(partition->table);
  };
  // Stripes are drawn by their size, so that with few keys none is preferred for standing behind a gap.
  std::array<std::size_t, kStripes> sizes{};
  std::size_t total = 0;
  for (unsigned number = 0; number < kStripes; ++number) {
    with_table(number, [&](const Table& table) { total += sizes[number] = table.size(); });
  }
  if (total == 0) return std::nullopt;
  constexpr int kTries = 100;  // expired keys that are still there are passed over
  for (int attempt = 0; attempt < kTries; ++attempt) {
    std::size_t chosen = random() % total;
    unsigned number = 0;
    for (; chosen >= sizes[number]; ++number) chosen -= sizes[number];
    std::optional<std::string> key;
    with_table(number, [&](const Table& table) {
      const Entry* entry = table.sample(random()).entry;
      if (entry != nullptr && !entry->expired(now)) key = std::string(entry->key());
    });
    if (key) return key;
  }
  return first_live_key(db, now, held);  // nearly all keys are expired: whatever is left
}

std::size_t Keyspace::overhead_memory(bool held) {
  std::size_t sum = sizeof(*this);
  for (unsigned number = 0; number < kStripes; ++number) {
    const Guard guard = held ? Guard() : lock(mask_of(stripe_at(number)));
    for (std::uint32_t db = 0; db < stripes_[stripe_at(number)].end; ++db) {
      const Partition* const partition = stripes_[stripe_at(number)].partition(Db{db});
      if (partition != nullptr) sum += sizeof(Partition) + partition->table.memory() + partition->expiries.memory();
    }
  }
  return sum;
}

namespace {

/// Of a list in the entry, its run; one that is an object elsewhere is not judged.
std::size_t payload(const Entry& entry) {
  const Value value = entry.value();
  if (value.type() != ValueType::String) return entry.key().size() + value.bytes.size();
  IntegerScratch scratch;
  return entry.key().size() + text_of(value.as_string(), scratch).size();
}

/// Gathered over tables.
struct KeyCosts {
  std::uint64_t keys = 0;
  std::size_t shared = 0;  // bytes of tables, and of pages that no entry uses
  std::int64_t sampled = 0;  // entries that were looked at,
  std::int64_t beyond = 0;  // and their bytes beyond key and value

  void add(const Partition& partition, Position place) {
    const Table& table = partition.table;
    keys += table.size();
    shared += sizeof(Partition) + table.memory() + partition.expiries.memory() + table.unused_memory();
    table.visit_bucket(place, [&](const Entry& entry) {
      ++sampled;
      beyond += static_cast<std::int64_t>(EntryHeap::memory(entry)) - static_cast<std::int64_t>(payload(entry));
    });
  }
  double overhead() const {
    if (keys == 0 || sampled == 0) return 0;
    return static_cast<double>(shared) / static_cast<double>(keys) +
           static_cast<double>(beyond) / static_cast<double>(sampled);
  }
};

}  // namespace

Keyspace::KeyCost Keyspace::key_cost(bool held) {
  KeyCosts costs;
  for (unsigned number = 0; number < kStripes; ++number) {
    const Guard guard = held ? Guard() : lock(mask_of(stripe_at(number)));
    for (std::uint32_t db = 0; db < stripes_[stripe_at(number)].end; ++db) {
      if (const Partition* const partition = stripes_[stripe_at(number)].partition(Db{db}))
        costs.add(*partition, random());
    }
  }
  return {costs.keys, costs.overhead()};
}

}  // namespace magpie::engine
