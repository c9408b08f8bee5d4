#include "server/engine/duration_histogram.h"

#include <bit>

namespace magpie::engine {

unsigned DurationScale::bucket_of(std::uint64_t ns) {
  if (ns < kSteps) return static_cast<unsigned>(ns);
  const auto power = static_cast<unsigned>(std::bit_width(ns)) - 1;  // >= 3
  const auto step = static_cast<unsigned>(ns >> (power - 3)) & (kSteps - 1);
  const unsigned bucket = (power - 2) * kSteps + step;
  return bucket < kBuckets ? bucket : kBuckets - 1;
}

std::uint64_t DurationScale::upper_bound_ns(unsigned bucket) {
  if (bucket < kSteps) return bucket;
  const unsigned power = bucket / kSteps + 2;
  const std::uint64_t step = bucket % kSteps;
  return ((kSteps + step + 1) << (power - 3)) - 1;
}

void SharedDurationHistogram::note_longest(std::uint64_t ns) {
  std::uint64_t seen = longest_ns();
  while (ns > seen && !longest_ns_.compare_exchange_weak(seen, ns, std::memory_order_relaxed)) {
  }
}

void SharedDurationHistogram::reset() {
  for (auto& count : counts_) count.store(0, std::memory_order_relaxed);
  longest_ns_.store(0, std::memory_order_relaxed);
}

}  // namespace magpie::engine
