#include "server/state/rate_sampler.h"

#include <algorithm>

namespace magpie::server {

void RateSampler::sample(Instant now, const Counters& counters) {
  const std::lock_guard guard(lock_);
  if (taken_ > 0) {
    const std::int64_t since = now.ms - samples_[(taken_ - 1) % kSamples].time.ms;
    if (since >= 0 && since < kLeastMs) return;
    if (since < 0) taken_ = 0;  // the clock was set back
  }
  samples_[taken_++ % kSamples] = {now, counters};
}

RateSampler::Rates RateSampler::rates() const {
  const std::lock_guard guard(lock_);
  if (taken_ < 2) return {};
  const Sample& newest = samples_[(taken_ - 1) % kSamples];
  const Sample& oldest = samples_[taken_ > kSamples ? taken_ % kSamples : 0];
  constexpr double kSecondMs = 1000;
  const double seconds = static_cast<double>(std::max<std::int64_t>(newest.time.ms - oldest.time.ms, 1)) / kSecondMs;
  const auto rate = [&](std::uint64_t Counters::* member) {
    return static_cast<double>(newest.counters.*member - oldest.counters.*member) / seconds;
  };
  return {rate(&Counters::commands), rate(&Counters::input_bytes), rate(&Counters::output_bytes)};
}

void RateSampler::reset() {
  const std::lock_guard guard(lock_);
  taken_ = 0;
}

}  // namespace magpie::server
