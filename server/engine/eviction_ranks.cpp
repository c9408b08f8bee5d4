#include "server/engine/eviction_ranks.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace magpie::engine {
namespace {

/// The estimate that needs no history, for an age in epochs: a key that has returned so often is taken for one that is
/// used at a constant, unknown rate; one that never has, for a passer-by sooner than that.
double fixed_estimate(unsigned of_class, double age) {
  if (of_class == 0) return 0.3 / (0.3 + 3 * age);
  return (0.5 + of_class) / (0.5 + age);
}

constexpr double width_of(std::size_t bin) { return kAgeBinEdges[bin + 1] - kAgeBinEdges[bin]; }

/// The best ratio, over all horizons, of the chance of a hit to the time that the place is held until then: a Gittins
/// index (Gittins, J. R. Stat. Soc. B 1979).
double best_ratio(const std::array<double, kAgeBins>& hazards, std::size_t from) {
  double alive = 1;
  double hit = 0;
  double held = 0;
  double best = 0;
  for (std::size_t bin = from; bin < kAgeBins; ++bin) {
    hit += alive * hazards[bin];
    held += alive * (1 - hazards[bin] / 2) * width_of(bin);
    alive *= 1 - hazards[bin];
    best = std::max(best, hit / held);
  }
  return best;
}

}  // namespace

EvictionRanks::EvictionRanks() {
  for (unsigned of_class = 0; of_class < kClasses; ++of_class) {
    for (unsigned age = 0; age <= Epochs::kOldest; ++age) ranks_[of_class][age] = fixed_estimate(of_class, age);
  }
}

void EvictionRanks::History::add(const Sums& sums) {
  constexpr double kFading = 0.9;
  for (std::size_t kind = 0; kind < kUseKinds; ++kind) {
    weights[kind] = kFading * weights[kind] + static_cast<double>(sums[kind] - last[kind]);
  }
  last = sums;
}

// Lives that the prior weighs as much as: a share of all, so that it takes many of one class and age to outweigh it.
// Measured with bench/hit_ratio: a fixed number of 5 to 100 gives 0.3 points of misses less.
constexpr double kPriorShare = 0.05;

/// The chance that a key of this class which reaches a bin is hit there, by bin; where little is known, the prior.
EvictionRanks::ByBin EvictionRanks::hazards(unsigned of_class, const ByBin& prior) const {
  const double prior_lives = 5 + kPriorShare * all_lives_;
  ByBin chances{};
  double lives = 0;  // that reached the bin
  for (std::size_t bin = kAgeBins; bin-- > 0;) {
    const std::size_t kind = of_class * kAgeBins + bin;
    lives += hits_.weights[kind] + deaths_.weights[kind];
    chances[bin] = (hits_.weights[kind] + prior_lives * prior[bin]) / (lives + prior_lives);
  }
  return chances;
}

void EvictionRanks::learn(const Sums& hits, const Sums& deaths) {
  constexpr double kLearntShare = 0.65;
  hits_.add(hits);
  deaths_.add(deaths);
  all_lives_ = std::accumulate(hits_.weights.begin(), hits_.weights.end(), 0.0) +
               std::accumulate(deaths_.weights.begin(), deaths_.weights.end(), 0.0);
  ByBin prior{};
  for (std::size_t bin = 0; bin < kAgeBins; ++bin) {
    const double middle = kAgeBinEdges[bin] + width_of(bin) / 2;
    prior[bin] = 1 - std::exp(-0.5 * fixed_estimate(0, middle) * width_of(bin));
  }
  for (unsigned of_class = 0; of_class < kClasses; ++of_class) {
    prior = hazards(of_class, prior);
    for (unsigned age = 0; age <= Epochs::kOldest; ++age) {
      ranks_[of_class][age] = std::pow(best_ratio(prior, kBinOfAge[age]), kLearntShare) *
                              std::pow(fixed_estimate(of_class, age), 1 - kLearntShare);
    }
  }
}

void EvictionRanks::forget(const Sums& hits, const Sums& deaths) {
  hits_ = {.last = hits};
  deaths_ = {.last = deaths};
  learn(hits, deaths);
}

void EvictionRanks::publish(const Epochs& epochs) {
  for (unsigned number = 0; number < kHeats; ++number) {
    const Heat heat{static_cast<std::uint8_t>(number)};
    const double rank = ranks_[class_of(heat)][epochs.age(label_of(heat))];
    by_heat_[number].store(static_cast<float>(rank), std::memory_order_relaxed);
  }
}

}  // namespace magpie::engine
