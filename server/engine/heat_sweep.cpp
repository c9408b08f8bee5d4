#include "server/engine/heat_sweep.h"

#include <algorithm>

namespace magpie::engine {
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

bool HeatSweep::is_due(Instant now) {
  if (policy_changed_.load(std::memory_order_relaxed)) return true;
  const EvictionSettings settings = settings_.load();
  if (!uses_frequency(settings.policy)) {
    epochs_.check_clock(now);
    return epochs_.wants_sweep();
  }
  return decays_due(settings, decayed_ms_.load(std::memory_order_relaxed), now) > 0;
}

/// One is due.
void HeatSweep::begin(Instant now) {
  const bool policy_changed = policy_changed_.exchange(false);
  const EvictionSettings settings = settings_.load();  // only now: they are at least as new as the change
  if (policy_changed) {
    purpose_ = Purpose::OtherPolicy;
    map_ = translation(uses_frequency(settings.policy), epochs_.current());
    decayed_ms_.store(now.ms, std::memory_order_relaxed);
  } else if (uses_frequency(settings.policy)) {
    const std::int64_t since = decayed_ms_.load(std::memory_order_relaxed);
    const std::uint64_t times = decays_due(settings, since, now);
    purpose_ = Purpose::Decay;
    map_ = decay_map(times);
    decayed_ms_.store(since + static_cast<std::int64_t>(times) * kMinuteMs * settings.lfu_decay_minutes,
                      std::memory_order_relaxed);
  } else {
    purpose_ = Purpose::MergedEpochs;
    map_ = epochs_.sweep_map();
  }
  stripe_ = db_ = 0;
  bucket_ = buckets_ = 0;
}

void HeatSweep::end() {
  constexpr std::size_t kBucketsPerMs = 100;  // of sweeping, about 70 ns a bucket: less than a hundredth of a core
  if (purpose_ == Purpose::MergedEpochs) epochs_.swept();
  purpose_.reset();
  epochs_.set_shortest(std::max(Epochs::kShortestMs, static_cast<std::int64_t>(buckets_ / kBucketsPerMs)));
}

/// Goes on within the stripe that it is at.
void HeatSweep::go_on_in_stripe(std::size_t& limit) {
  const StripeIndex index = stripe_at(stripe_);
  const Stripes::Guard guard = stripes_.lock(index);
  Stripe& at = stripes_[index];
  for (; db_ < at.end; ++db_, bucket_ = 0) {
    Partition* const partition = at.partition(Db{db_});
    const std::size_t buckets = partition == nullptr ? 0 : partition->table.buckets();
    for (; bucket_ < buckets; ++bucket_, ++buckets_) {
      if (limit == 0) return;
      --limit;
      partition->table.map_heats(bucket_, map_);
    }
  }
  constexpr std::size_t kSetsPerBucket = 4;
  const std::size_t sets = at.ghost.sets();
  for (; bucket_ < sets; ++bucket_) {
    if (bucket_ % kSetsPerBucket == 0) {
      if (limit == 0) return;
      --limit;
    }
    at.ghost.map_heats(bucket_, map_);
  }
  ++stripe_;
  db_ = 0;
  bucket_ = 0;
}

bool HeatSweep::go_on(Instant now, std::size_t limit) {
  const std::unique_lock guard(lock_, std::try_to_lock);
  if (!guard) return false;  // somebody is at it
  if (policy_changed_.load(std::memory_order_relaxed)) purpose_.reset();  // what it did means nothing now
  if (!purpose_) {
    if (!is_due(now)) return false;
    begin(now);
  }
  while (limit > 0 && stripe_ < kStripes) go_on_in_stripe(limit);
  if (stripe_ < kStripes) return true;
  end();
  return is_due(now);
}

}  // namespace magpie::engine
