#include "server/engine/keyspace.h"

#include <algorithm>

#include "protocol/check.h"
#include "server/engine/entry_block.h"
#include "server/engine/evictor.h"
#include "server/engine/large_blocks.h"
#include "server/engine/memory.h"

namespace magpie::engine {
namespace {

/// Then the bytes of the value must stay as they are, and a change makes another entry.
bool replies_refer_to(const Entry& entry) { return entry.in_own_block() && EntryBlock::is_referenced(entry); }

}  // namespace

Keyspace::Keyspace(Options options)
    : stripes_(options.databases, options.shared),
      heat_sweep_(stripes_, epochs_, eviction_),
      evictor_(std::make_unique<Evictor>(stripes_, epochs_, heat_sweep_, eviction_,
                                         [this](const Erase& effect, Instant now) { apply(effect, now); })) {
  account(sizeof(*this));
}
Keyspace::~Keyspace() { account(-static_cast<std::int64_t>(sizeof(*this))); }

void Keyspace::set_eviction(const EvictionSettings& settings) {
  const EvictionPolicy before = policy();
  eviction_.store(settings);
  if (uses_frequency(settings.policy) != uses_frequency(before)) heat_sweep_.change_policy();
}

Table::Found Keyspace::look_up(Db db, const Key& key, Instant now) {
  Partition* partition = stripe(key.stripe).partition(db);
  if (partition == nullptr) return {};
  const Table::Found found = partition->table.find(key.hash, key.bytes);
  if (found.entry == nullptr || !found.entry->expired(now)) return found;
  if (!follows()) apply(Erase{db, key, EraseReason::Expired}, now);
  return {};
}

Entry* Keyspace::use(Db db, const Key& key, Instant now) {
  const Table::Found found = look_up(db, key, now);
  if (found.entry != nullptr) touch(stripe(key.stripe), found, now);
  return found.entry;
}

const Entry* Keyspace::peek(Db db, const Key& key, Instant now) const {
  const Partition* partition = stripe(key.stripe).partition(db);
  if (partition == nullptr) return nullptr;
  const Entry* entry = partition->table.find(key.hash, key.bytes).entry;
  return entry == nullptr || entry->expired(now) ? nullptr : entry;
}

void Keyspace::watch(Db db, const Key& key, const WatchFlag& flag) {
  stripe(key.stripe).watched.add(db, key.bytes, flag);
}

void Keyspace::unwatch(Db db, const Key& key, const WatchFlag& flag) {
  stripe(key.stripe).watched.remove(db, key.bytes, flag);
}

void Keyspace::expiry_changed(Stripe& at, Partition& partition, std::uint64_t hash, std::optional<Instant> before,
                              std::optional<Instant> after) {
  if (before == after) return;
  ExpiryIndex& expiries = partition.expiries;
  if (after) {
    expiries.count(*after, 1);
    expiries.note(partition.table.group_of(hash), *after);
    at.next_due = std::min(at.next_due, *after);
  }
  if (before) expiries.count(*before, -1);
}

void Keyspace::change(const Put& effect, Instant now) {
  Stripe& at = stripe(effect.key.stripe);
  Partition& partition = stripes_.partition_or_new(at, effect.db);
  changes(at, effect.db, effect.key.bytes);
  const auto [old, heat] = partition.table.find(effect.key.hash, effect.key.bytes);
  std::optional<Instant> before;
  if (old == nullptr) {
    partition.insert(effect.key.hash, partition.table.make({effect.key.bytes, effect.value, effect.expiry}),
                     first_heat(at, effect.db, effect.key.hash, now));
  } else {
    before = old->expiry();
    touch(at, {old, heat}, now);
    if (!old->set_expiry_in_place(effect.expiry) || replies_refer_to(*old) || !old->assign_in_place(effect.value)) {
      partition.table.replace(heat, partition.table.make({effect.key.bytes, effect.value, effect.expiry}));
    }
  }
  if (before || effect.expiry) expiry_changed(at, partition, effect.key.hash, before, effect.expiry);
}

void Keyspace::change(const Overwrite& effect, Instant now) {
  Stripe& at = stripe(effect.key.stripe);
  Partition& partition = stripes_.partition_or_new(at, effect.db);
  changes(at, effect.db, effect.key.bytes);
  const bool is_new = partition.table.find(effect.key.hash, effect.key.bytes).entry == nullptr;
  if (is_new) {
    const Table::Fresh fresh = partition.table.make({effect.key.bytes, StringValue::raw({}), std::nullopt});
    partition.insert(effect.key.hash, fresh, first_heat(at, effect.db, effect.key.hash, now));
  }
  const auto [old, heat] = partition.table.find(effect.key.hash, effect.key.bytes);
  CHECK(old->type() == ValueType::String);
  if (!is_new) touch(at, {old, heat}, now);
  const std::size_t size = old->string().bytes.size();
  const bool may_write = effect.offset >= size || !replies_refer_to(*old);  // they do not know what is appended
  if (may_write && old->string().form != StringForm::Integer &&
      old->overwrite_in_place(effect.offset, effect.bytes, EntryHeap::capacity(*old))) {
    return;
  }
  IntegerScratch scratch;
  const StringValue text = StringValue::raw(text_of(old->string(), scratch));
  const std::size_t end = std::max(effect.offset + effect.bytes.size(), text.bytes.size());
  EntryContent content{effect.key.bytes, text, old->expiry(), end};
  const bool grows_slowly = end > text.bytes.size() && end <= 2 * text.bytes.size();
  if (grows_slowly && Entry::size_of(content) > Arena::kLargest) {
    // Room to grow, so that appending byte by byte stays linear: twice the size, at most 1 MB more.
    constexpr std::size_t kMostSlack = std::size_t{1} << 20;
    content.room = end + std::min(end, kMostSlack);
  }
  const Table::Fresh larger = partition.table.make(content);
  CHECK(larger.entry->overwrite_in_place(effect.offset, effect.bytes, Entry::size_of(content)));
  partition.table.replace(heat, larger);
}

void Keyspace::erase_entry(Stripe& at, Partition& partition, std::uint64_t hash, const Entry* entry) {
  const std::optional<Instant> expiry = entry->expiry();
  partition.erase(hash, entry);
  if (expiry) expiry_changed(at, partition, hash, expiry, std::nullopt);
}

void Keyspace::count_erased(EraseReason reason, std::optional<Instant> due, Instant now) {
  constexpr std::int64_t kMsNs = 1'000'000;
  constexpr std::int64_t kMostMs = std::int64_t{1} << 40;  // far beyond the scale
  if (follows()) return;  // its leader counts
  if (reason == EraseReason::Evicted) evicted_.fetch_add(1, std::memory_order_relaxed);
  if (reason != EraseReason::Expired) return;
  expired_.fetch_add(1, std::memory_order_relaxed);
  if (!due || *due >= now) return;
  const std::int64_t late = std::min(now.ms - std::max<std::int64_t>(due->ms, 0), kMostMs);
  expiry_lag_.add(static_cast<std::uint64_t>(late * kMsNs));
}

void Keyspace::change(const Erase& effect, Instant now) {
  Stripe& at = stripe(effect.key.stripe);
  Partition* partition = at.partition(effect.db);
  if (partition == nullptr) return;
  const Entry* entry = partition->table.find(effect.key.hash, effect.key.bytes).entry;
  if (entry == nullptr) return;
  changes(at, effect.db, effect.key.bytes);
  count_erased(effect.reason, entry->expiry(), now);
  erase_entry(at, *partition, effect.key.hash, entry);
}

void Keyspace::change(const SetExpiry& effect, Instant) {
  Stripe& at = stripe(effect.key.stripe);
  Partition* partition = at.partition(effect.db);
  if (partition == nullptr) return;
  const auto [entry, heat] = partition->table.find(effect.key.hash, effect.key.bytes);
  if (entry == nullptr) return;
  changes(at, effect.db, effect.key.bytes);
  const std::optional<Instant> before = entry->expiry();
  if (!entry->set_expiry_in_place(effect.expiry)) {
    partition->table.replace(heat, partition->table.make({effect.key.bytes, entry->value(), effect.expiry}));
  }
  expiry_changed(at, *partition, effect.key.hash, before, effect.expiry);
}

bool Keyspace::holds(const Partition* partition, ByteView key, std::uint64_t hash) {
  return partition != nullptr && partition->table.find(hash, key).entry != nullptr;
}

void Keyspace::change(const Flush& effect, Instant now) {
  if (!effect.db) {
    evictor_->begin_anew();
    epochs_.release_clock(now);
  }
  for (Stripe& at : stripes_) {
    if (!effect.db) at.ghost.resize(0);
    at.watched.touch_if([&](Db db, ByteView key) {
      return (!effect.db || *effect.db == db) && holds(at.partition(db), key, hash_of(key));
    });
    for (std::uint32_t index = 0; index < at.end; ++index) {
      if (effect.db && *effect.db != Db{index}) continue;
      stripes_.discard(at, Db{index});
    }
  }
}

void Keyspace::change(const SwapDb& effect, Instant) {
  for (Stripe& at : stripes_) {
    at.watched.touch_if([&](Db db, ByteView key) {
      if (db != effect.first && db != effect.second) return false;
      const std::uint64_t hash = hash_of(key);
      return holds(at.partition(effect.first), key, hash) || holds(at.partition(effect.second), key, hash);
    });
    Stripes::swap(at, effect.first, effect.second);
  }
}

std::size_t Keyspace::free_some(std::size_t limit, Freeing freeing) {
  const PartitionPool::Freed freed = stripes_.pool().free_some(limit, freeing);
  if (!freed.any) return LargeBlocks::instance().free_piece() ? 1 : List::free_some(limit);
  return freed.entries + 1;  // an empty table was work too
}

Keyspace::Room Keyspace::make_room(std::int64_t limit, Instant now, std::size_t most) {
  for (; used_memory() > limit; --most) {
    if (most == 0) return Room::NotYet;
    if (free_some(1) > 0) continue;  // what is already deleted goes first
    if (policy() != EvictionPolicy::NoEviction && evictor_->evict_one(now)) continue;
    return stripes_.pool().empties_one() ? Room::NotYet : Room::None;  // another thread is at it
  }
  return Room::Enough;
}

/// Erases up to `limit` keys that are due of the group where the earliest is, and settles the group. Returns how much
/// there was to do: 0 if nothing is due.
std::size_t Keyspace::expire_group(Partition& partition, Db db, StripeIndex index, Instant now, std::size_t limit) {
  const auto earliest = partition.expiries.earliest();
  if (!earliest || earliest->at >= now) return 0;
  std::vector<const Entry*> due;
  std::optional<Instant> rest;
  partition.table.visit_group(earliest->group, [&](const Entry& entry) {
    const std::optional<Instant> expiry = entry.expiry();
    if (!expiry) return;
    if (entry.expired(now) && due.size() < limit) {
      due.push_back(&entry);
    } else if (!rest || *expiry < *rest) {
      rest = expiry;
    }
  });
  partition.expiries.settle(earliest->group, rest);  // before buckets that merge may change it again
  for (const Entry* entry : due) {
    apply(Erase{db, Key{entry->key(), hash_of(entry->key()), index}, EraseReason::Expired}, now);
  }
  return due.size() + 1;
}

std::size_t Keyspace::expire_groups(Partition& partition, Db db, StripeIndex index, Instant now, std::size_t limit) {
  std::size_t met = 0;
  while (met < limit) {
    const std::size_t done = expire_group(partition, db, index, now, limit - met);
    if (done == 0) break;
    met += done;
  }
  return met;
}

std::size_t Keyspace::expire_some(StripeIndex index, Instant now, std::size_t limit) {
  if (!active_expiry_.load(std::memory_order_relaxed) || follows()) return 0;
  const Guard guard = lock(mask_of(index));
  Stripe& at = stripe(index);
  if (at.next_due >= now) return 0;
  std::size_t met = 0;
  Instant next_due{INT64_MAX};
  std::uint32_t number = at.next_expired;
  for (std::uint32_t step = 0; step < at.end && met < limit; ++step, ++number) {
    if (number >= at.end) number = 0;
    Partition* const partition = at.partition(Db{number});
    if (partition == nullptr) continue;
    met += expire_groups(*partition, Db{number}, index, now, limit - met);
    if (const auto earliest = partition->expiries.earliest()) next_due = std::min(next_due, earliest->at);
  }
  at.next_expired = number;
  if (met < limit) at.next_due = next_due;
  return met;
}

bool Keyspace::compact_some(StripeIndex index, std::size_t limit) {
  constexpr std::uint32_t kMostLooks = 16;  // at databases
  const Guard guard = lock(mask_of(index));
  Stripe& at = stripe(index);
  for (std::uint32_t look = 0; at.changed && look < kMostLooks; ++look) {
    if (at.next_compacted >= at.end) at.next_compacted = 0;
    Partition* const partition = at.partition(Db{at.next_compacted});
    if (partition != nullptr && partition->table.compact(limit)) {
      at.compact = 0;
      return true;
    }
    ++at.next_compacted;
    if (++at.compact < at.end) continue;
    at.changed = false;
    at.compact = 0;
  }
  return false;
}

Keyspace::Counters Keyspace::counters() const {
  return {expired_.load(std::memory_order_relaxed), evicted_.load(std::memory_order_relaxed),
          stripes_.pool().lazily_freed()};
}

void Keyspace::reset_counters() {
  expired_.store(0, std::memory_order_relaxed);
  evicted_.store(0, std::memory_order_relaxed);
  stripes_.pool().reset_counter();
  expiry_lag_.reset();
}

}  // namespace magpie::engine
