#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

#include "server/engine/epochs.h"
#include "server/engine/eviction.h"
#include "server/engine/heat.h"
#include "server/engine/instant.h"
#include "server/engine/stripes.h"

namespace magpie::engine {

/// Passes over all keys that give them the heats that time has brought: epochs that were merged, frequencies that have
/// decayed, another policy. Any thread; takes locks of stripes by itself.
class HeatSweep {
 public:
  /// Borrows them all.
  HeatSweep(Stripes& stripes, Epochs& epochs, const SharedEvictionSettings& settings)
      : stripes_(stripes), epochs_(epochs), settings_(settings) {}

  /// The settings have gone from recency to frequency or back: heats of the one mean nothing to the other.
  void change_policy() { policy_changed_.store(true); }
  /// Goes over about `limit` buckets of keys, if there is a reason to. True if there is more to do.
  bool go_on(Instant now, std::size_t limit);

 private:
  enum class Purpose : std::uint8_t { MergedEpochs, Decay, OtherPolicy };
  bool is_due(Instant now);
  void begin(Instant now);
  void end();
  void go_on_in_stripe(std::size_t& limit);

  Stripes& stripes_;
  Epochs& epochs_;
  const SharedEvictionSettings& settings_;
  std::atomic<bool> policy_changed_ = false;
  std::atomic<std::int64_t> decayed_ms_ = 0;  // up to when frequencies have decayed

  std::mutex lock_;  // guards what follows; taken before a stripe's lock
  std::optional<Purpose> purpose_;  // nothing: no sweep is going on
  HeatMap map_{};
  unsigned stripe_ = 0;  // where it goes on
  std::uint32_t db_ = 0;
  std::size_t bucket_ = 0;
  std::size_t buckets_ = 0;  // that it has met
};

}  // namespace magpie::engine
