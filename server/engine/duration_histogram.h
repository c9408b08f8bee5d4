#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace magpie::engine {

/// A log-linear scale of durations: eight steps per power of two, so values are exact to 12 %, up to 73 minutes.
struct DurationScale {
  static constexpr unsigned kSteps = 8;
  static constexpr unsigned kBuckets = 40 * kSteps;
  static unsigned bucket_of(std::uint64_t ns);
  /// The largest value in nanoseconds that falls into the bucket.
  static std::uint64_t upper_bound_ns(unsigned bucket);
};

/// Durations that any thread adds, and the longest of them. What is added during a reset may or may not count.
class SharedDurationHistogram : public DurationScale {
 public:
  void add(std::uint64_t ns) {
    counts_[bucket_of(ns)].fetch_add(1, std::memory_order_relaxed);
    if (ns > longest_ns_.load(std::memory_order_relaxed)) [[unlikely]]
      note_longest(ns);
  }
  std::uint64_t count(unsigned bucket) const { return counts_[bucket].load(std::memory_order_relaxed); }
  /// Exact, 0 without any.
  std::uint64_t longest_ns() const { return longest_ns_.load(std::memory_order_relaxed); }
  void reset();

 private:
  void note_longest(std::uint64_t ns);

  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<std::uint64_t> longest_ns_{0};
};

}  // namespace magpie::engine
