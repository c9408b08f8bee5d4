// Eviction by sampling: a victim is the best of a few random keys of random stripes, so that a small cache is served as
// one.

#include "server/engine/keyspace.h"
#include "server/engine/memory.h"

namespace magpie::engine {

struct Keyspace::Candidate {
  bool found = false;
  Db db{};
  std::string key;
  std::uint64_t hash = 0;
  StripeIndex stripe{};
  std::uint64_t rank = 0;
};

Keyspace::Room Keyspace::make_room(std::int64_t limit, Instant now, std::size_t most) {
  const EvictionSettings settings = eviction();
  for (; used_memory() > limit; --most) {
    if (most == 0) return Room::NotYet;
    if (free_some(1) > 0) continue;  // what is already deleted goes first
    if (settings.policy == EvictionPolicy::NoEviction || !evict_one(settings, now)) return Room::None;
  }
  return Room::Enough;
}

bool Keyspace::evict_one(const EvictionSettings& settings, Instant now) {
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
    if (consider(StripeIndex{number}, settings, now, best)) ++looked_at;  // a stripe without candidates does not count
  }
  if (!best.found) return false;
  const Guard guard = lock(mask_of(best.stripe));
  // Meanwhile the lock was free: the key may be gone, or have lost the expiry that made it a candidate.
  const Partition* partition = stripe(best.stripe).partition(best.db);
  const Entry* entry = partition == nullptr ? nullptr : partition->table.find(best.hash, best.key);
  if (entry == nullptr || (only_volatile(settings.policy) && !entry->expiry())) return true;  // the caller tries again
  apply(Erase{best.db, Key{best.key, best.hash, best.stripe}, EraseReason::Evicted}, now);
  return true;
}

const Entry* Keyspace::pick_volatile(Partition& partition, EvictionPolicy policy) {
  const auto live = [&](const ExpiryIndex::Item& item) {
    const Entry* entry = nullptr;
    partition.table.visit_hash(item.hash, [&](Entry& one) {
      if (one.expiry() == Instant{item.due}) entry = &one;
    });
    return entry;
  };
  ExpiryIndex& expiries = partition.expiries;
  constexpr int kTries = 8;
  for (int attempt = 0; attempt < kTries && !expiries.empty() && policy != EvictionPolicy::VolatileTtl; ++attempt) {
    if (const Entry* entry = live(expiries.sample(random()))) return entry;
  }
  // The earliest, stale items dropped on the way: what volatile-ttl wants, and an answer where samples were all stale.
  for (; !expiries.empty(); expiries.pop()) {
    if (const Entry* entry = live(*expiries.earliest())) return entry;
  }
  return nullptr;
}

/// Looks at one key of each database of the stripe; whether there was any.
bool Keyspace::consider(StripeIndex index, const EvictionSettings& settings, Instant now, Candidate& best) {
  const Guard guard = lock(mask_of(index));
  bool any = false;
  Stripe& at = stripe(index);
  for (std::uint32_t number = 0; number < at.end; ++number) {
    Partition* const partition = at.partition(Db{number});
    if (partition == nullptr) continue;
    const Entry* entry =
        only_volatile(settings.policy) ? pick_volatile(*partition, settings.policy) : partition->table.sample(random());
    if (entry == nullptr) continue;
    any = true;
    const std::uint64_t rank = settings.policy == EvictionPolicy::VolatileTtl
                                   ? ~static_cast<std::uint64_t>(entry->expiry()->ms)
                                   : eviction_rank(settings, entry->access(), now);
    if (best.found && rank <= best.rank) continue;
    best = {true, Db{number}, std::string(entry->key()), hash_of(entry->key()), index, rank};
  }
  return any;
}

}  // namespace magpie::engine
