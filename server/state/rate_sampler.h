#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "server/engine/instant.h"

namespace magpie::server {

/// Rates over the last second or so (instantaneous_ops_per_sec and the like). One thread takes samples now and then;
/// any thread may read.
class RateSampler {
 public:
  /// Counters that only grow.
  struct Counters {
    std::uint64_t commands = 0;
    std::uint64_t input_bytes = 0;
    std::uint64_t output_bytes = 0;
  };
  struct Rates {
    double commands = 0;  // a second
    double input_bytes = 0;
    double output_bytes = 0;
  };

  /// Samples closer together than a tenth of a second are not kept.
  void sample(Instant now, const Counters& counters);
  Rates rates() const;
  void reset();

 private:
  struct Sample {
    Instant time{};
    Counters counters;
  };
  static constexpr std::size_t kSamples = 16;
  static constexpr std::int64_t kLeastMs = 90;

  mutable std::mutex lock_;
  std::array<Sample, kSamples> samples_;  // a ring
  std::size_t taken_ = 0;
};

}  // namespace magpie::server
