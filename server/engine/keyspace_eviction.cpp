// Eviction: making room, and the choice by heat (docs/engine.md). The policies that go by chance or by the time to live
// are in keyspace_sampling.cpp.

#include <algorithm>
#include <bit>

#include "server/engine/eviction_state.h"
#include "server/engine/keyspace.h"
#include "server/engine/memory.h"

namespace magpie::engine {
namespace {

constexpr std::int64_t kPlaceBytes = 10;  // of a key in the table, about
constexpr unsigned kEpochsPerTurnover = 8;
constexpr std::size_t kDomainKeys = 4096;  // a domain has at least so many keys

std::int64_t weight_in_bytes(const Entry& entry) {
  return static_cast<std::int64_t>(EntryHeap::memory(entry)) + kPlaceBytes;
}

}  // namespace

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
bool Keyspace::evict_by_heat(const EvictionSettings& settings, Instant now) {
  struct Turn {
    unsigned domain = 0;
    std::size_t left = 0;
  };
  thread_local Turn turn;
  EvictionState& state = *eviction_state_;
  begin_evicting(now);
  const unsigned domains = state.domain_count.load(std::memory_order_relaxed);
  if (turn.left == 0 || turn.domain >= domains) {
    turn.domain = state.turn.fetch_add(1, std::memory_order_relaxed) % domains;
    turn.left = turn_of(turn.domain, domains);
  }
  for (unsigned attempt = 0; attempt < domains; ++attempt) {
    if (turn.left > 0) --turn.left;
    if (evict_in(state.domains[turn.domain], settings, now)) {
      go_on_after_eviction(now);
      return true;
    }
    turn = {(turn.domain + 1) % domains, 0};
  }
  return evict_sampled(settings, now);  // the hand does not go far where few keys may go; this goes over all stripes
}

/// Evictions in one turn.
std::size_t Keyspace::turn_of(unsigned domain, unsigned domains) const {
  constexpr std::size_t kKeysPerEviction = 512;
  std::size_t keys = 0;
  for (unsigned number = domain; number < kStripes; number += domains) {
    keys += eviction_state_->keys[number].load(std::memory_order_relaxed);
  }
  return keys / kKeysPerEviction + 1;
}

// --- the hand and the pool ---

float Keyspace::rank_of(const EvictionSettings& settings, Heat heat) const {
  return uses_frequency(settings.policy) ? static_cast<float>(index_of(heat) + 1) : ranks_.rank(heat);
}

void Keyspace::offer(EvictionDomain& domain, const EvictionSettings& settings, const EvictionCandidate& candidate) {
  const auto rank = [&](const EvictionCandidate& one) { return rank_of(settings, one.heat); };
  const auto end = domain.pool.begin() + static_cast<std::ptrdiff_t>(domain.count);
  const auto same = std::find_if(domain.pool.begin(), end, [&](const EvictionCandidate& one) {
    return one.handle == candidate.handle && one.stripe == candidate.stripe && one.db == candidate.db;
  });
  if (same != end) {
    *same = candidate;
  } else if (domain.count < EvictionDomain::kPool) {
    domain.pool[domain.count++] = candidate;
  } else {
    auto& highest =
        *std::max_element(domain.pool.begin(), end, [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    if (rank(candidate) < rank(highest)) highest = candidate;
  }
}

/// Offers the entries of the bucket at the hand, and moves the hand on within its stripe. False if that has no more
/// buckets.
bool Keyspace::move_hand(EvictionDomain& domain, const EvictionSettings& settings) {
  const StripeIndex index{static_cast<std::uint8_t>(domain.stripe)};
  const Guard guard = lock(mask_of(index));
  const Stripe& at = stripe(index);
  for (; domain.db < at.end; ++domain.db, domain.bucket = 0) {
    const Partition* const partition = at.partition(Db{domain.db});
    if (partition == nullptr || partition->table.size() == 0 || domain.bucket >= partition->table.buckets()) continue;
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
void Keyspace::fill_pool(EvictionDomain& domain, const EvictionSettings& settings, std::size_t buckets) {
  constexpr std::size_t kFar = 64;
  const unsigned domains = eviction_state_->domain_count.load(std::memory_order_relaxed);
  const auto first = static_cast<unsigned>(&domain - eviction_state_->domains.data());
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

bool Keyspace::evict_in(EvictionDomain& domain, const EvictionSettings& settings, Instant now) {
  const EvictionState& state = *eviction_state_;
  const std::lock_guard guard(domain.lock);
  fill_pool(domain, settings, state.few_keys_a_bucket.load(std::memory_order_relaxed) ? 2 : 1);
  while (domain.count > 0) {
    const auto end = domain.pool.begin() + static_cast<std::ptrdiff_t>(domain.count);
    auto& lowest = *std::min_element(domain.pool.begin(), end, [&](const auto& a, const auto& b) {
      return rank_of(settings, a.heat) < rank_of(settings, b.heat);
    });
    const EvictionCandidate candidate = lowest;
    lowest = domain.pool[--domain.count];
    if (evict_candidate(candidate, settings, now)) return true;
    if (domain.count == 0) fill_pool(domain, settings, 0);
  }
  return false;
}

/// False if it is not there any more, has been used since, or comes from the time of another policy and may not go.
bool Keyspace::evict_candidate(const EvictionCandidate& candidate, const EvictionSettings& settings, Instant now) {
  if (only_volatile(settings.policy) && !EntryHeap::has_expiry(candidate.handle)) return false;
  const Guard guard = lock(mask_of(candidate.stripe));
  Stripe& at = stripe(candidate.stripe);
  const Partition* const partition = candidate.db < at.end ? at.partition(Db{candidate.db}) : nullptr;
  if (partition == nullptr) return false;
  const auto [entry, heat] = partition->table.find_in_chain(candidate.bucket, candidate.handle);
  if (entry == nullptr || rank_of(settings, *heat) > rank_of(settings, candidate.heat)) return false;
  const Key key{entry->key(), hash_of(entry->key()), candidate.stripe};
  const std::int64_t bytes = weight_in_bytes(*entry);
  const bool expired = entry->expired(now);
  if (!expired && !uses_frequency(settings.policy)) remember(at, Db{candidate.db}, key.hash, *heat);
  apply(Erase{Db{candidate.db}, key, expired ? EraseReason::Expired : EraseReason::Evicted}, now);
  eviction_state_->evicted_bytes.fetch_add(bytes, std::memory_order_relaxed);
  return true;
}

// --- epochs ---

/// Before a choice by heat: the clock rests, and ranks know the ages of today.
void Keyspace::begin_evicting(Instant now) {
  EvictionState& state = *eviction_state_;
  epochs_.hold_clock(now);
  if (state.epoch_bytes.load(std::memory_order_relaxed) == 0) end_epoch(now);
  if (state.ranked_label.load(std::memory_order_relaxed) == index_of(epochs_.current())) return;
  const std::lock_guard guard(state.epoch_lock);
  rank_heats();
}

void Keyspace::rank_heats() {
  const Label current = epochs_.current();
  ranks_.publish(epochs_);
  eviction_state_->ranked_label.store(index_of(current), std::memory_order_relaxed);
}

void Keyspace::go_on_after_eviction(Instant now) {
  constexpr std::size_t kEvictionsPerSweep = 8;
  EvictionState& state = *eviction_state_;
  if (epochs_.wants_sweep() && state.evicted.fetch_add(1, std::memory_order_relaxed) % kEvictionsPerSweep == 0) {
    sweep_heats(now, kEvictionsPerSweep * state.swept_per_eviction.load(std::memory_order_relaxed));
  }
  if (state.evicted_bytes.load(std::memory_order_relaxed) >= state.epoch_bytes.load(std::memory_order_relaxed)) {
    end_epoch(now);
  }
}

/// What an epoch's end looks at in each stripe.
struct Keyspace::Survey {
  std::size_t keys = 0;
  std::size_t buckets = 0;
  std::size_t bytes = 0;
  EvictionRanks::Sums hits{};
  EvictionRanks::Sums deaths{};
};

/// Returns how many keys the stripe has.
std::size_t Keyspace::survey(Stripe& at, Survey& sum) const {
  std::size_t keys = 0;
  for (std::uint32_t db = 0; db < at.end; ++db) {
    const Partition* const partition = at.partition(Db{db});
    if (partition == nullptr) continue;
    keys += partition->table.size();
    sum.buckets += partition->table.buckets();
    sum.bytes += partition->table.entries_memory();
  }
  sum.keys += keys;
  for (std::size_t kind = 0; kind < kUseKinds; ++kind) {
    sum.hits[kind] += at.uses.hits[kind].load(std::memory_order_relaxed);
    sum.deaths[kind] += at.uses.deaths[kind].load(std::memory_order_relaxed);
  }
  if (uses_frequency(eviction().policy)) {
    at.ghost.resize(0);
  } else {
    at.ghost.plan(keys);
  }
  return keys;
}

/// An epoch has passed, or eviction begins.
void Keyspace::end_epoch(Instant now) {
  EvictionState& state = *eviction_state_;
  const std::unique_lock guard(state.epoch_lock, std::try_to_lock);
  if (!guard) return;
  const bool first = state.epoch_bytes.load(std::memory_order_relaxed) == 0;
  Survey sum;
  for (unsigned number = 0; number < kStripes; ++number) {
    const Guard stripe_guard = lock(StripeMask{1} << number);
    state.keys[number].store(survey(stripes_[number], sum), std::memory_order_relaxed);
  }
  if (first) {
    ranks_.forget(sum.hits, sum.deaths);  // other keys may have been here before a flush
  } else {
    ranks_.learn(sum.hits, sum.deaths);
    epochs_.turn_over(now);
  }
  rank_heats();
  const std::size_t bytes = sum.bytes + sum.keys * kPlaceBytes;
  state.evicted_bytes.store(0, std::memory_order_relaxed);
  state.epoch_bytes.store(static_cast<std::int64_t>(bytes / kEpochsPerTurnover + 1), std::memory_order_relaxed);
  state.swept_per_eviction.store(sum.buckets * kEpochsPerTurnover / std::max<std::size_t>(sum.keys, 1) + 1,
                                 std::memory_order_relaxed);
  state.few_keys_a_bucket.store(sum.keys * 10 < sum.buckets * 28, std::memory_order_relaxed);
  state.domain_count.store(
      static_cast<unsigned>(std::clamp<std::size_t>(std::bit_floor(sum.keys / kDomainKeys), 1, kStripes)),
      std::memory_order_relaxed);
}

void Keyspace::remember(Stripe& at, Db db, std::uint64_t hash, Heat heat) {
  if (const auto gone = at.ghost.remember(ghost_hash(db, hash), heat)) UseCounts::add(at.uses.deaths, epochs_, *gone);
}

}  // namespace magpie::engine
