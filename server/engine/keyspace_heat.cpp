// How keys are used: what a hit does to the heat of a key, and the passes over all keys that keep heats true.

#include <algorithm>

#include "server/engine/keyspace.h"

namespace magpie::engine {

void Keyspace::touch(Stripe& at, Heat& heat, Instant now) {
  if (uses_frequency(policy())) {
    const Heat next = next_frequency(eviction(), heat, random());
    if (next != heat) heat = next;
    return;
  }
  if (epochs_.is_due(now)) epochs_.go_on(now);
  const Label current = epochs_.current();
  if (label_of(heat) == current) return;  // a hot key's line stays clean
  if (at.ghost.size() > 0) UseCounts::add(at.uses.hits, epochs_, heat);
  heat = make_heat(next_class(class_of(heat), random), current);
}

/// Of a new key; one that was evicted not long ago resumes its class.
Heat Keyspace::first_heat(Stripe& at, Db db, std::uint64_t hash, Instant now) {
  if (uses_frequency(policy())) return kFirstFrequency;
  if (epochs_.is_due(now)) epochs_.go_on(now);
  unsigned in_class = 0;
  if (const auto heat = at.ghost.recall(ghost_hash(db, hash))) {
    UseCounts::add(at.uses.hits, epochs_, *heat);
    in_class = class_of(*heat);
    if (epochs_.age(label_of(*heat)) > 0) in_class = next_class(in_class, random);
  }
  return make_heat(in_class, epochs_.current());
}

std::optional<Heat> Keyspace::heat(Db db, const Key& key) const {
  const Partition* const partition = stripe(key.stripe).partition(db);
  const Heat* const heat = partition == nullptr ? nullptr : partition->table.find(key.hash, key.bytes).heat;
  if (heat == nullptr) return std::nullopt;
  return *heat;
}

void Keyspace::set_heat(Db db, const Key& key, Heat heat) {
  Partition* const partition = stripe(key.stripe).partition(db);
  if (partition == nullptr) return;
  if (Heat* const at = partition->table.find(key.hash, key.bytes).heat) *at = heat;
}

std::int64_t Keyspace::idle_ms(Heat heat, Instant now) {
  if (epochs_.is_due(now)) epochs_.go_on(now);
  return epochs_.idle_ms(label_of(heat), now);
}

// --- passes over all keys ---

namespace {

constexpr std::int64_t kMinuteMs = 60'000;

/// Heats of recency become frequencies, or the other way round.
HeatMap translation(bool to_frequency, Label current) {
  HeatMap map;
  for (unsigned heat = 0; heat < kHeats; ++heat) {
    const unsigned returned = class_of(Heat{static_cast<std::uint8_t>(heat)});
    map[heat] =
        to_frequency ? Heat{static_cast<std::uint8_t>(index_of(kFirstFrequency) + returned)} : make_heat(0, current);
  }
  return map;
}

/// How often frequencies are to decay by now.
std::uint64_t decays_due(const EvictionSettings& settings, std::int64_t since_ms, Instant now) {
  if (!uses_frequency(settings.policy) || settings.lfu_decay_minutes == 0 || now.ms <= since_ms) return 0;
  return static_cast<std::uint64_t>((now.ms - since_ms) / (kMinuteMs * settings.lfu_decay_minutes));
}

}  // namespace

bool Keyspace::heat_sweep_is_due(Instant now) {
  HeatSweep& sweep = heat_sweep_;
  if (sweep.policy_changed.load(std::memory_order_relaxed)) return true;
  const EvictionSettings settings = eviction();
  if (!uses_frequency(settings.policy)) {
    epochs_.check_clock(now);
    return epochs_.wants_sweep();
  }
  return decays_due(settings, sweep.decayed_ms.load(std::memory_order_relaxed), now) > 0;
}

/// One is due.
void Keyspace::begin_heat_sweep(Instant now) {
  HeatSweep& sweep = heat_sweep_;
  const EvictionSettings settings = eviction();
  if (sweep.policy_changed.exchange(false)) {
    sweep.purpose = HeatSweep::Purpose::OtherPolicy;
    sweep.map = translation(uses_frequency(settings.policy), epochs_.current());
    sweep.decayed_ms.store(now.ms, std::memory_order_relaxed);
  } else if (uses_frequency(settings.policy)) {
    const std::int64_t since = sweep.decayed_ms.load(std::memory_order_relaxed);
    const std::uint64_t times = decays_due(settings, since, now);
    sweep.purpose = HeatSweep::Purpose::Decay;
    sweep.map = decay_map(times);
    sweep.decayed_ms.store(since + static_cast<std::int64_t>(times) * kMinuteMs * settings.lfu_decay_minutes,
                           std::memory_order_relaxed);
  } else {
    sweep.purpose = HeatSweep::Purpose::MergedEpochs;
    sweep.map = epochs_.sweep_map();
  }
  sweep.stripe = sweep.db = 0;
  sweep.bucket = sweep.buckets = 0;
}

void Keyspace::end_heat_sweep() {
  constexpr std::size_t kBucketsPerMs = 100;  // of sweeping, about 70 ns a bucket: less than a hundredth of a core
  HeatSweep& sweep = heat_sweep_;
  if (sweep.purpose == HeatSweep::Purpose::MergedEpochs) epochs_.swept();
  sweep.purpose.reset();
  epochs_.set_shortest(std::max(Epochs::kShortestMs, static_cast<std::int64_t>(sweep.buckets / kBucketsPerMs)));
}

/// Goes on within the stripe that the sweep is at.
void Keyspace::sweep_stripe(std::size_t& limit) {
  HeatSweep& sweep = heat_sweep_;
  const StripeIndex index{static_cast<std::uint8_t>(sweep.stripe)};
  const Guard guard = lock(mask_of(index));
  Stripe& at = stripe(index);
  for (; sweep.db < at.end; ++sweep.db, sweep.bucket = 0) {
    Partition* const partition = at.partition(Db{sweep.db});
    const std::size_t buckets = partition == nullptr ? 0 : partition->table.buckets();
    for (; sweep.bucket < buckets; ++sweep.bucket, ++sweep.buckets) {
      if (limit == 0) return;
      --limit;
      partition->table.map_heats(sweep.bucket, sweep.map);
    }
  }
  constexpr std::size_t kSetsPerBucket = 4;
  const std::size_t sets = at.ghost.sets();
  for (; sweep.bucket < sets; ++sweep.bucket) {
    if (sweep.bucket % kSetsPerBucket == 0) {
      if (limit == 0) return;
      --limit;
    }
    at.ghost.map_heats(sweep.bucket, sweep.map);
  }
  ++sweep.stripe;
  sweep.db = 0;
  sweep.bucket = 0;
}

bool Keyspace::sweep_heats(Instant now, std::size_t limit) {
  HeatSweep& sweep = heat_sweep_;
  const std::unique_lock guard(sweep.lock, std::try_to_lock);
  if (!guard) return false;  // somebody is at it
  if (sweep.policy_changed.load(std::memory_order_relaxed)) sweep.purpose.reset();  // what it did means nothing now
  if (!sweep.purpose) {
    if (!heat_sweep_is_due(now)) return false;
    begin_heat_sweep(now);
  }
  while (limit > 0 && sweep.stripe < kStripes) sweep_stripe(limit);
  if (sweep.stripe < kStripes) return true;
  end_heat_sweep();
  return heat_sweep_is_due(now);
}

}  // namespace magpie::engine
