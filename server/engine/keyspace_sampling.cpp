// Eviction by sampling, for the policies that go by chance or by the time to live: a victim is the best of a few random
// keys of random stripes, so that a small cache is served as one.

#include "server/engine/keyspace.h"

namespace magpie::engine {

struct Keyspace::Candidate {
  bool found = false;
  Db db{};
  std::string key;
  std::uint64_t hash = 0;
  StripeIndex stripe{};
  std::uint64_t rank = 0;
};

bool Keyspace::evict_sampled(const EvictionSettings& settings, Instant now) {
  Candidate best;
  unsigned looked_at = 0;
  const std::uint64_t start = random();
  const bool any =
      settings.policy == EvictionPolicy::AllKeysRandom || settings.policy == EvictionPolicy::VolatileRandom;
  const unsigned wanted = any ? 1 : settings.samples;
  // Once over all stripes finds something, if there is anything; again over them as long as samples are wanting, so
  // that keys that share a few stripes (by hash tags, or because they are few) are compared too.
  for (unsigned step = 0; looked_at < wanted && step < kStripes * (looked_at > 0 ? wanted : 1); ++step) {
    // An odd stride visits every stripe once, in another order each time.
    const auto number = static_cast<std::uint8_t>((start + step * ((start >> 32) | 1)) % kStripes);
    if (consider(StripeIndex{number}, settings, best)) ++looked_at;  // a stripe without candidates does not count
  }
  if (!best.found) return false;
  const Guard guard = lock(mask_of(best.stripe));
  // Meanwhile the lock was free: the key may be gone, or have lost the expiry that made it a candidate.
  const Partition* partition = stripe(best.stripe).partition(best.db);
  const Entry* entry = partition == nullptr ? nullptr : partition->table.find(best.hash, best.key).entry;
  if (entry == nullptr || (only_volatile(settings.policy) && !entry->expiry())) return true;  // the caller tries again
  apply(Erase{best.db, Key{best.key, best.hash, best.stripe}, EraseReason::Evicted}, now);
  return true;
}

Table::Found Keyspace::pick_volatile(Partition& partition, EvictionPolicy policy) {
  constexpr int kTries = 8;
  for (int attempt = 0; attempt < kTries && policy != EvictionPolicy::VolatileTtl; ++attempt) {
    const auto group = partition.expiries.sample(random());
    if (!group) return {};
    const Entry* const entry = some_volatile(partition.table, *group);
    if (entry != nullptr) return partition.table.find(hash_of(entry->key()), entry->key());
  }
  const Entry* const entry = earliest_volatile(partition);
  if (entry == nullptr) return {};
  return partition.table.find(
      hash_of(entry->key()),
      entry->key());  // what volatile-ttl wants, and an answer where no sampled group had any left
}

const Entry* Keyspace::earliest_volatile(Partition& partition) {
  ExpiryIndex& expiries = partition.expiries;
  while (const auto due = expiries.earliest()) {
    const Entry* first = nullptr;
    partition.table.visit_group(due->group, [&](const Entry& entry) {
      if (entry.has_expiry() && (first == nullptr || *entry.expiry() < *first->expiry())) first = &entry;
    });
    // A group whose earliest key has left may not be the one.
    expiries.settle(due->group, first == nullptr ? std::nullopt : first->expiry());
    if (first != nullptr && expiries.earliest()->group == due->group) return first;
  }
  return nullptr;
}

/// Any key of the group that has an expiry, all with the same chance.
const Entry* Keyspace::some_volatile(const Table& table, std::uint32_t group) {
  const Entry* some = nullptr;
  std::uint64_t seen = 0;
  table.visit_group(group, [&](const Entry& entry) {
    if (entry.has_expiry() && random() % ++seen == 0) some = &entry;
  });
  return some;
}

/// Looks at one key of each database of the stripe; whether there was any.
bool Keyspace::consider(StripeIndex index, const EvictionSettings& settings, Candidate& best) {
  const Guard guard = lock(mask_of(index));
  bool any = false;
  Stripe& at = stripe(index);
  for (std::uint32_t number = 0; number < at.end; ++number) {
    Partition* const partition = at.partition(Db{number});
    if (partition == nullptr) continue;
    const Table::Found found =
        only_volatile(settings.policy) ? pick_volatile(*partition, settings.policy) : partition->table.sample(random());
    const Entry* const entry = found.entry;
    if (entry == nullptr) continue;
    any = true;
    const std::uint64_t rank = settings.policy == EvictionPolicy::VolatileTtl
                                   ? ~static_cast<std::uint64_t>(entry->expiry()->ms)
                               : uses_frequency(settings.policy) ? kHeats - index_of(*found.heat)
                                                                 : epochs_.age(label_of(*found.heat));
    if (best.found && rank <= best.rank) continue;
    best = {true, Db{number}, std::string(entry->key()), hash_of(entry->key()), index, rank};
  }
  return any;
}

}  // namespace magpie::engine
