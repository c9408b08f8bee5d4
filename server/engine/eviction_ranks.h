#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "server/engine/epochs.h"
#include "server/engine/heat.h"

namespace magpie::engine {

/// Ages in epochs, in bins that widen.
inline constexpr std::array<unsigned, 10> kAgeBinEdges{0, 1, 2, 3, 4, 6, 9, 13, 19, 29};
inline constexpr std::size_t kAgeBins = kAgeBinEdges.size() - 1;
inline constexpr std::size_t kUseKinds = kClasses * kAgeBins;
inline constexpr auto kBinOfAge = [] {
  std::array<std::uint8_t, Epochs::kOldest + 1> bins{};
  for (unsigned age = 0; age <= Epochs::kOldest; ++age) {
    while (age >= kAgeBinEdges[bins[age] + 1]) ++bins[age];
  }
  return bins;
}();

/// How lives of keys ended: a life begins with each use in a new epoch and ends with the next use, counted by the class
/// and age that the key had then, or when it leaves the ghost without one. Counted under one stripe's lock, read
/// without.
struct UseCounts {
  using Counts = std::array<std::atomic<std::uint32_t>, kUseKinds>;
  Counts hits{};
  Counts deaths{};
  static void add(Counts& counts, const Epochs& epochs, Heat heat) {
    const std::size_t kind = class_of(heat) * kAgeBins + kBinOfAge[epochs.age(label_of(heat))];
    counts[kind].store(counts[kind].load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
};

/// Which heat goes first: the expected hits per time that a key of each class and age still holds its place, learnt
/// from how such keys have fared and mixed with a fixed estimate.
class EvictionRanks {
 public:
  EvictionRanks();

  /// The lowest goes first; above 0. Any thread.
  float rank(Heat heat) const { return by_heat_[index_of(heat)].load(std::memory_order_relaxed); }

  /// An epoch has passed; `hits` and `deaths` are the sums over all stripes since their beginning. One thread at a
  /// time.
  using Sums = std::array<std::uint32_t, kUseKinds>;
  void learn(const Sums& hits, const Sums& deaths);
  /// What was learnt does not hold any more; the sums begin here. One thread at a time.
  void forget(const Sums& hits, const Sums& deaths);
  /// Ages have changed. One thread at a time.
  void publish(const Epochs& epochs);

 private:
  struct History {
    Sums last{};  // sums that have been seen
    std::array<double, kUseKinds> weights{};  // what they brought, older ones fading
    void add(const Sums& sums);
  };
  using ByBin = std::array<double, kAgeBins>;
  ByBin hazards(unsigned of_class, const ByBin& prior) const;

  History hits_;
  History deaths_;
  double all_lives_ = 0;  // in both
  std::array<std::array<double, Epochs::kOldest + 1>, kClasses> ranks_{};  // by class and age
  std::array<std::atomic<float>, kHeats> by_heat_{};
};

}  // namespace magpie::engine
