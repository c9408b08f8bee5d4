// The choice by heat. The policies that go by chance or by the time to live are in evictor_sampling.cpp.

#include "server/engine/evictor.h"

#include <algorithm>
#include <bit>

namespace magpie::engine {
namespace {

constexpr std::int64_t kPlaceBytes = 10;  // of a key in the table, about
constexpr unsigned kEpochsPerTurnover = 8;
constexpr std::size_t kDomainKeys = 4096;  // a domain has at least so many keys that may go

std::int64_t weight_in_bytes(const Entry& entry) {
  return static_cast<std::int64_t>(EntryHeap::memory(entry)) + kPlaceBytes;
}

/// Goes on to a group of buckets in which there may be keys with an expiry, or to the end.
void skip_groups(const Partition& partition, std::size_t& bucket) {
  while (bucket < partition.table.buckets() && !partition.expiries.has_time(Table::group_of_bucket(bucket))) {
    bucket = (bucket / Table::kGroupBuckets + 1) * Table::kGroupBuckets;
  }
}

std::size_t keys_that_may_go(const Partition& partition, EvictionPolicy policy) {
  return only_volatile(policy) ? partition.expiries.volatile_keys() : partition.table.size();
}

}  // namespace

bool Evictor::evict_one(Instant now) {
  const EvictionSettings settings = settings_.load();
  switch (settings.policy) {
    case EvictionPolicy::AllKeysRandom:
    case EvictionPolicy::VolatileRandom:
    case EvictionPolicy::VolatileTtl:
      return evict_sampled(settings, now);
    default:
      return evict_by_heat(settings, now);
  }
}

// --- domains ---

/// Each thread stays with a domain for a number of evictions that grows with the domain's size, so that domains of
/// different size lose keys at the same rate. A domain where the hand meets nothing is passed over.
bool Evictor::evict_by_heat(const EvictionSettings& settings, Instant now) {
  struct Turn {
    unsigned domain = 0;
    std::size_t left = 0;
  };
  thread_local Turn turn;
  begin_evicting(settings, now);
  const unsigned domains = domain_count_.load(std::memory_order_relaxed);
  if (turn.left == 0 || turn.domain >= domains) {
    turn.domain = turn_.fetch_add(1, std::memory_order_relaxed) % domains;
    turn.left = turn_of(turn.domain, domains);
  }
  for (unsigned attempt = 0; attempt < domains; ++attempt) {
    if (turn.left > 0) --turn.left;
    if (evict_in(domains_[turn.domain], settings, now)) {
      go_on_after_eviction(settings, now);
      return true;
    }
    turn = {(turn.domain + 1) % domains, 0};
  }
  // The hand does not go far where few keys may go; this goes over all stripes.
  if (!evict_sampled(settings, now)) return false;
  go_on_after_eviction(settings, now);
  return true;
}

/// Evictions in one turn.
std::size_t Evictor::turn_of(unsigned domain, unsigned domains) const {
  constexpr std::size_t kKeysPerEviction = 512;
  std::size_t keys = 0;
  for (unsigned number = domain; number < kStripes; number += domains) {
    keys += keys_[number].load(std::memory_order_relaxed);
  }
  return keys / kKeysPerEviction + 1;
}

// --- the hand and the pool ---

float Evictor::rank_of(const EvictionSettings& settings, Heat heat) const {
  return uses_frequency(settings.policy) ? static_cast<float>(index_of(heat) + 1) : ranks_.rank(heat);
}

void Evictor::offer(Domain& domain, const EvictionSettings& settings, const Candidate& candidate) const {
  const auto rank = [&](const Candidate& one) { return rank_of(settings, one.heat); };
  const auto end = domain.pool.begin() + static_cast<std::ptrdiff_t>(domain.count);
  const auto same = std::find_if(domain.pool.begin(), end, [&](const Candidate& one) {
    return one.handle == candidate.handle && one.stripe == candidate.stripe && one.db == candidate.db;
  });
  if (same != end) {
    *same = candidate;
  } else if (domain.count < Domain::kPool) {
    domain.pool[domain.count++] = candidate;
  } else {
    auto& highest =
        *std::max_element(domain.pool.begin(), end, [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    if (rank(candidate) < rank(highest)) highest = candidate;
  }
}

/// Offers the entries of the bucket at the hand, and moves the hand on within its stripe. False if that has no more
/// buckets.
bool Evictor::move_hand(Domain& domain, const EvictionSettings& settings) {
  const StripeIndex index = stripe_at(domain.stripe);
  const Stripes::Guard guard = stripes_.lock(index);
  const Stripe& at = stripes_[index];
  for (; domain.db < at.end; ++domain.db, domain.bucket = 0) {
    const Partition* const partition = at.partition(Db{domain.db});
    if (partition == nullptr || partition->table.size() == 0 || domain.bucket >= partition->table.buckets()) continue;
    if (only_volatile(settings.policy)) skip_groups(*partition, domain.bucket);
    if (domain.bucket >= partition->table.buckets()) continue;
    const auto bucket = static_cast<std::uint32_t>(domain.bucket++);
    partition->table.visit_heats(bucket, [&](Handle handle, Heat heat) {
      if (only_volatile(settings.policy) && !EntryHeap::has_expiry(handle)) return;
      offer(domain, settings, {handle, bucket, domain.db, index, heat});
    });
    return true;
  }
  domain.db = 0;
  domain.bucket = 0;
  return false;
}

/// Moves the hand over `buckets` buckets, and further until there is some candidate or it has gone far or round.
void Evictor::fill_pool(Domain& domain, const EvictionSettings& settings, std::size_t buckets) {
  constexpr std::size_t kFar = 64;
  const unsigned domains = domain_count_.load(std::memory_order_relaxed);
  const auto first = static_cast<unsigned>(&domain - domains_.data());
  if (domain.stripe % domains != first) domain.stripe = first;
  unsigned stripes_left = kStripes / domains + 1;
  for (std::size_t met = 0; stripes_left > 0 && (met < buckets || (domain.count == 0 && met < kFar));) {
    if (move_hand(domain, settings)) {
      ++met;
      continue;
    }
    domain.stripe = domain.stripe + domains < kStripes ? domain.stripe + domains : first;
    --stripes_left;
  }
}

bool Evictor::evict_in(Domain& domain, const EvictionSettings& settings, Instant now) {
  const std::lock_guard guard(domain.lock);
  fill_pool(domain, settings, buckets_per_eviction_.load(std::memory_order_relaxed));
  while (domain.count > 0) {
    const auto end = domain.pool.begin() + static_cast<std::ptrdiff_t>(domain.count);
    auto& lowest = *std::min_element(domain.pool.begin(), end, [&](const auto& a, const auto& b) {
      return rank_of(settings, a.heat) < rank_of(settings, b.heat);
    });
    const Candidate candidate = lowest;
    lowest = domain.pool[--domain.count];
    if (evict_candidate(candidate, settings, now)) return true;
    if (domain.count == 0) fill_pool(domain, settings, 0);
  }
  return false;
}

/// False if it is not there any more, has been used since, or comes from the time of another policy and may not go.
bool Evictor::evict_candidate(const Candidate& candidate, const EvictionSettings& settings, Instant now) {
  if (only_volatile(settings.policy) && !EntryHeap::has_expiry(candidate.handle)) return false;
  const Stripes::Guard guard = stripes_.lock(candidate.stripe);
  const Stripe& at = stripes_[candidate.stripe];
  const Partition* const partition = candidate.db < at.end ? at.partition(Db{candidate.db}) : nullptr;
  if (partition == nullptr) return false;
  const auto [entry, heat] = partition->table.find_in_chain(candidate.bucket, candidate.handle);
  if (entry == nullptr || rank_of(settings, *heat) > rank_of(settings, candidate.heat)) return false;
  const Key key{entry->key(), hash_of(entry->key()), candidate.stripe};
  evict(settings, Db{candidate.db}, key, {entry, heat}, now);
  return true;
}

/// The key's stripe is locked.
void Evictor::evict(const EvictionSettings& settings, Db db, const Key& key, const Table::Found& found, Instant now) {
  const bool expired = found.entry->expired(now);
  if (!expired && goes_by_recency(settings.policy)) remember(stripes_[key.stripe], db, key.hash, *found.heat);
  evicted_bytes_.fetch_add(weight_in_bytes(*found.entry), std::memory_order_relaxed);
  erase_(Erase{db, key, expired ? EraseReason::Expired : EraseReason::Evicted}, now);
}

// --- epochs ---

/// Whether nothing was evicted yet, or by another policy: other keys may go now, which others measured.
bool Evictor::must_begin(const EvictionSettings& settings) const {
  return epoch_bytes_.load(std::memory_order_relaxed) == 0 ||
         surveyed_for_.load(std::memory_order_relaxed) != settings.policy;
}

/// Before a choice by heat: the clock rests, and ranks know the ages of today.
void Evictor::begin_evicting(const EvictionSettings& settings, Instant now) {
  epochs_.hold_clock(now);
  if (must_begin(settings)) end_epoch(settings, now);
  if (ranked_label_.load(std::memory_order_relaxed) == index_of(epochs_.current())) return;
  const std::lock_guard guard(epoch_lock_);
  rank_heats();
}

void Evictor::rank_heats() {
  const Label current = epochs_.current();
  ranks_.publish(epochs_);
  ranked_label_.store(index_of(current), std::memory_order_relaxed);
}

void Evictor::go_on_after_eviction(const EvictionSettings& settings, Instant now) {
  constexpr std::size_t kEvictionsPerSweep = 8;
  if (epochs_.wants_sweep() && evicted_.fetch_add(1, std::memory_order_relaxed) % kEvictionsPerSweep == 0) {
    heat_sweep_.go_on(now, kEvictionsPerSweep * swept_per_eviction_.load(std::memory_order_relaxed));
  }
  if (evicted_bytes_.load(std::memory_order_relaxed) >= epoch_bytes_.load(std::memory_order_relaxed)) {
    end_epoch(settings, now);
  }
}

/// What an epoch's end looks at in each stripe.
struct Evictor::Survey {
  std::size_t keys = 0;  // that may go
  std::size_t bytes = 0;  // of them
  std::size_t buckets = 0;
  EvictionRanks::Sums hits{};
  EvictionRanks::Sums deaths{};

  /// That the hand should go on by, so that it meets enough keys that may go.
  std::size_t buckets_per_eviction() const {
    constexpr std::size_t kMost = 32;
    constexpr double kKeysMet = 2.8;
    const double buckets_per_key = static_cast<double>(buckets) / static_cast<double>(std::max<std::size_t>(keys, 1));
    return std::min(static_cast<std::size_t>(kKeysMet * buckets_per_key) + 1, kMost);
  }
  /// That a sweep should go on by, so that it ends within an epoch, if that is not too much.
  std::size_t swept_per_eviction() const {
    constexpr std::size_t kMost = 32;
    return std::min(buckets * kEpochsPerTurnover / std::max<std::size_t>(keys, 1) + 1, kMost);
  }
};

/// Returns how many keys of the stripe may go.
std::size_t Evictor::survey(Stripe& at, const EvictionSettings& settings, Survey& sum) {
  std::size_t keys = 0;
  for (std::uint32_t db = 0; db < at.end; ++db) {
    const Partition* const partition = at.partition(Db{db});
    if (partition == nullptr) continue;
    const std::size_t may_go = keys_that_may_go(*partition, settings.policy);
    keys += may_go;
    if (may_go > 0) {
      const double share = static_cast<double>(may_go) / static_cast<double>(partition->table.size());
      sum.bytes += static_cast<std::size_t>(share * static_cast<double>(partition->table.entries_memory()));
    }
    sum.buckets += partition->table.buckets();
  }
  sum.keys += keys;
  for (std::size_t kind = 0; kind < kUseKinds; ++kind) {
    sum.hits[kind] += at.uses.hits[kind].load(std::memory_order_relaxed);
    sum.deaths[kind] += at.uses.deaths[kind].load(std::memory_order_relaxed);
  }
  if (uses_frequency(settings.policy)) {
    at.ghost.resize(0);
  } else {
    at.ghost.plan(keys);
  }
  return keys;
}

/// An epoch has passed, or eviction begins.
void Evictor::end_epoch(const EvictionSettings& settings, Instant now) {
  const std::unique_lock guard(epoch_lock_, std::try_to_lock);
  if (!guard) return;
  const bool first = must_begin(settings);
  Survey sum;
  for (unsigned number = 0; number < kStripes; ++number) {
    const StripeIndex index = stripe_at(number);
    const Stripes::Guard stripe_guard = stripes_.lock(index);
    keys_[number].store(survey(stripes_[index], settings, sum), std::memory_order_relaxed);
  }
  if (first) {
    ranks_.forget(sum.hits, sum.deaths);  // other keys may have been here before a flush
  } else {
    ranks_.learn(sum.hits, sum.deaths);
    epochs_.turn_over(now);
  }
  rank_heats();
  const std::size_t bytes = sum.bytes + sum.keys * kPlaceBytes;
  surveyed_for_.store(settings.policy, std::memory_order_relaxed);
  evicted_bytes_.store(0, std::memory_order_relaxed);
  epoch_bytes_.store(static_cast<std::int64_t>(bytes / kEpochsPerTurnover + 1), std::memory_order_relaxed);
  swept_per_eviction_.store(sum.swept_per_eviction(), std::memory_order_relaxed);
  buckets_per_eviction_.store(sum.buckets_per_eviction(), std::memory_order_relaxed);
  domain_count_.store(
      static_cast<unsigned>(std::clamp<std::size_t>(std::bit_floor(sum.keys / kDomainKeys), 1, kStripes)),
      std::memory_order_relaxed);
}

void Evictor::remember(Stripe& at, Db db, std::uint64_t hash, Heat heat) const {
  if (const auto gone = at.ghost.remember(ghost_hash(db, hash), heat)) UseCounts::add(at.uses.deaths, epochs_, *gone);
}

}  // namespace magpie::engine
