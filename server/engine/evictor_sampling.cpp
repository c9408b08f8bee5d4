// Eviction by sampling, for the policies that go by chance or by the time to live: a victim is the best of a few random
// keys of random stripes, so that a small cache is served as one.

#include <string>

#include "server/engine/evictor.h"
#include "server/engine/random.h"

namespace magpie::engine {

struct Evictor::Sample {
  bool found = false;
  Db db{};
  std::string key;
  std::uint64_t hash = 0;
  StripeIndex stripe{};
  double rank = 0;
};

bool Evictor::evict_sampled(const EvictionSettings& settings, Instant now) {
  Sample best;
  unsigned looked_at = 0;
  const std::uint64_t start = random();
  const bool any =
      settings.policy == EvictionPolicy::AllKeysRandom || settings.policy == EvictionPolicy::VolatileRandom;
  const unsigned wanted = any ? 1 : settings.samples;
  // Once over all stripes finds something, if there is anything; again over them as long as samples are wanting, so
  // that keys that share a few stripes (by hash tags, or because they are few) are compared too.
  for (unsigned step = 0; looked_at < wanted && step < kStripes * (looked_at > 0 ? wanted : 1); ++step) {
    // An odd stride visits every stripe once, in another order each time.
    const StripeIndex index = stripe_at(static_cast<unsigned>((start + step * ((start >> 32) | 1)) % kStripes));
    if (consider(index, settings, best)) ++looked_at;  // a stripe without candidates does not count
  }
  if (!best.found) return false;
  const Stripes::Guard guard = stripes_.lock(best.stripe);
  // Meanwhile the lock was free: the key may be gone, or have lost the expiry that made it a candidate.
  const Partition* partition = stripes_[best.stripe].partition(best.db);
  const Table::Found found = partition == nullptr ? Table::Found() : partition->table.find(best.hash, best.key);
  if (found.entry == nullptr) return true;  // the caller tries again
  if (only_volatile(settings.policy) && !found.entry->has_expiry()) return true;
  evict(settings, best.db, Key{best.key, best.hash, best.stripe}, found, now);
  return true;
}

/// Some key with an expiry; under volatile-ttl the one that is due first.
const Entry* Evictor::pick_volatile(Partition& partition, EvictionPolicy policy) {
  constexpr int kTries = 8;
  for (int attempt = 0; attempt < kTries && policy != EvictionPolicy::VolatileTtl; ++attempt) {
    const auto group = partition.expiries.sample(random());
    if (!group) return nullptr;
    if (const Entry* const entry = some_volatile(partition.table, *group)) return entry;
  }
  return earliest_volatile(partition);  // also where no sampled group had any left
}

const Entry* Evictor::earliest_volatile(Partition& partition) {
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
const Entry* Evictor::some_volatile(const Table& table, std::uint32_t group) {
  const Entry* some = nullptr;
  std::uint64_t seen = 0;
  table.visit_group(group, [&](const Entry& entry) {
    if (entry.has_expiry() && random() % ++seen == 0) some = &entry;
  });
  return some;
}

/// Of two samples the one with the lower number goes.
double Evictor::sample_rank(const EvictionSettings& settings, const Table& table, const Entry& entry) const {
  switch (settings.policy) {
    case EvictionPolicy::VolatileTtl:
      return static_cast<double>(entry.expiry()->ms);
    case EvictionPolicy::AllKeysRandom:
    case EvictionPolicy::VolatileRandom:
      return static_cast<double>(random());
    default:
      return rank_of(settings, *table.find(hash_of(entry.key()), entry.key()).heat);
  }
}

/// Looks at one key of each database of the stripe; whether there was any.
bool Evictor::consider(StripeIndex index, const EvictionSettings& settings, Sample& best) {
  const Stripes::Guard guard = stripes_.lock(index);
  bool any = false;
  const Stripe& at = stripes_[index];
  for (std::uint32_t number = 0; number < at.end; ++number) {
    Partition* const partition = at.partition(Db{number});
    if (partition == nullptr) continue;
    const Entry* const entry = only_volatile(settings.policy) ? pick_volatile(*partition, settings.policy)
                                                              : partition->table.sample(random()).entry;
    if (entry == nullptr) continue;
    any = true;
    const double rank = sample_rank(settings, partition->table, *entry);
    if (best.found && rank >= best.rank) continue;
    best = {true, Db{number}, std::string(entry->key()), hash_of(entry->key()), index, rank};
  }
  return any;
}

}  // namespace magpie::engine
