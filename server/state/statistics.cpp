#include "server/state/statistics.h"

#include <bit>

namespace magpie::server {

unsigned DurationHistogram::bucket_of(std::uint64_t ns) {
  if (ns < kSteps) return static_cast<unsigned>(ns);
  const auto power = static_cast<unsigned>(std::bit_width(ns)) - 1;  // >= 3
  const auto step = static_cast<unsigned>(ns >> (power - 3)) & (kSteps - 1);
  const unsigned bucket = (power - 2) * kSteps + step;
  return bucket < kBuckets ? bucket : kBuckets - 1;
}

std::uint64_t DurationHistogram::upper_bound_ns(unsigned bucket) {
  if (bucket < kSteps) return bucket;
  const unsigned power = bucket / kSteps + 2;
  const std::uint64_t step = bucket % kSteps;
  return ((kSteps + step + 1) << (power - 3)) - 1;
}

void ErrorStatistics::count(ByteView error_text) {
  const ByteView prefix = error_text.substr(0, error_text.find(' '));
  const std::lock_guard guard(lock_);
  const auto found = counts_.find(prefix);
  if (found != counts_.end()) {
    ++found->second;
  } else if (counts_.size() < kMostPrefixes) {
    counts_.emplace(prefix, 1);
  }
}

std::map<std::string, std::uint64_t> ErrorStatistics::snapshot() const {
  const std::lock_guard guard(lock_);
  return {counts_.begin(), counts_.end()};
}

void ErrorStatistics::reset() {
  const std::lock_guard guard(lock_);
  counts_.clear();
}

}  // namespace magpie::server
