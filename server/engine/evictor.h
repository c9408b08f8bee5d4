#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

#include "server/engine/effect.h"
#include "server/engine/epochs.h"
#include "server/engine/eviction.h"
#include "server/engine/eviction_ranks.h"
#include "server/engine/heat_sweep.h"
#include "server/engine/stripes.h"

namespace magpie::engine {

/// Chooses which key goes when memory is short (docs/engine.md). Any thread; takes locks of stripes by itself.
class Evictor {
 public:
  /// Erases the key, whose stripe is locked, as an effect.
  using EraseCall = std::function<void(const Erase&, Instant)>;
  /// Borrows them all.
  Evictor(Stripes& stripes, Epochs& epochs, HeatSweep& heat_sweep, const SharedEvictionSettings& settings,
          EraseCall erase)
      : stripes_(stripes), epochs_(epochs), heat_sweep_(heat_sweep), settings_(settings), erase_(std::move(erase)) {}

  /// Erases a key by the policy; false if none may go. No lock of a stripe may be held.
  bool evict_one(Instant now);
  /// All keys are gone.
  void begin_anew() { epoch_bytes_.store(0, std::memory_order_relaxed); }

 private:
  /// A key that may be the next to go: where it was, and how it looked then. It may have left since.
  struct Candidate {
    Handle handle{};
    std::uint32_t bucket = 0;
    std::uint32_t db = 0;
    StripeIndex stripe{};
    Heat heat{};
  };

  /// Stripes whose keys compete: those whose numbers leave the same rest when divided by the number of domains. A hand
  /// goes round their buckets and offers what it meets to a pool, where the lowest ranks stay.
  struct alignas(64) Domain {
    static constexpr std::size_t kPool = 16;

    std::mutex lock;  // guards what follows; taken before a stripe's lock
    std::array<Candidate, kPool> pool;
    std::size_t count = 0;
    // Where the hand goes on.
    unsigned stripe = 0;
    std::uint32_t db = 0;
    std::size_t bucket = 0;
  };

  bool evict_by_heat(const EvictionSettings& settings, Instant now);
  std::size_t turn_of(unsigned domain, unsigned domains) const;
  bool evict_in(Domain& domain, const EvictionSettings& settings, Instant now);
  void offer(Domain& domain, const EvictionSettings& settings, const Candidate& candidate) const;
  bool move_hand(Domain& domain, const EvictionSettings& settings);
  void fill_pool(Domain& domain, const EvictionSettings& settings, std::size_t buckets);
  bool evict_candidate(const Candidate& candidate, const EvictionSettings& settings, Instant now);
  void evict(const EvictionSettings& settings, Db db, const Key& key, const Table::Found& found, Instant now);
  void remember(Stripe& at, Db db, std::uint64_t hash, Heat heat) const;
  float rank_of(const EvictionSettings& settings, Heat heat) const;

  struct Survey;
  bool must_begin(const EvictionSettings& settings) const;
  void begin_evicting(const EvictionSettings& settings, Instant now);
  void rank_heats();
  void go_on_after_eviction(const EvictionSettings& settings, Instant now);
  static std::size_t survey(Stripe& at, const EvictionSettings& settings, Survey& sum);
  void end_epoch(const EvictionSettings& settings, Instant now);

  struct Sample;
  bool evict_sampled(const EvictionSettings& settings, Instant now);
  bool consider(StripeIndex index, const EvictionSettings& settings, Sample& best);
  double sample_rank(const EvictionSettings& settings, const Table& table, const Entry& entry) const;
  static const Entry* pick_volatile(Partition& partition, EvictionPolicy policy);
  static const Entry* earliest_volatile(Partition& partition);
  static const Entry* some_volatile(const Table& table, std::uint32_t group);

  Stripes& stripes_;
  Epochs& epochs_;
  HeatSweep& heat_sweep_;
  const SharedEvictionSettings& settings_;
  EraseCall erase_;
  EvictionRanks ranks_;
  std::array<Domain, kStripes> domains_;
  std::atomic<unsigned> domain_count_ = 1;  // a power of two
  std::atomic<unsigned> turn_ = 0;  // which domain a thread takes next
  std::array<std::atomic<std::size_t>, kStripes> keys_{};  // that may go, by stripe, when the epoch began
  // An epoch has passed when as much has been evicted as an eighth of what may go.
  std::atomic<std::int64_t> evicted_bytes_ = 0;
  std::atomic<std::int64_t> epoch_bytes_ = 0;  // 0: nothing has been evicted yet
  std::atomic<EvictionPolicy> surveyed_for_ = EvictionPolicy::NoEviction;
  std::atomic<unsigned> ranked_label_ = kLabels;  // the epoch that the ranks are for
  std::atomic<std::size_t> evicted_ = 0;
  std::atomic<std::size_t> buckets_per_eviction_ = 1;  // that the hand goes on by
  std::atomic<std::size_t> swept_per_eviction_ = 1;  // buckets, so that a sweep ends within an epoch
  std::mutex epoch_lock_;  // one thread ends an epoch
};

}  // namespace magpie::engine
