#include <doctest/doctest.h>

#include "server/state/rate_sampler.h"
#include "server/state/totals.h"

using namespace magpie;
using server::RateSampler;

TEST_CASE("rates are those of the samples' span") {
  RateSampler sampler;
  CHECK(sampler.rates().commands == 0);
  sampler.sample(Instant{1000}, {100, 1000, 10});
  CHECK(sampler.rates().commands == 0);
  sampler.sample(Instant{1010}, {101, 1000, 10});  // too soon: not kept
  CHECK(sampler.rates().commands == 0);
  sampler.sample(Instant{1500}, {200, 3000, 20});
  CHECK(sampler.rates().commands == 200);
  CHECK(sampler.rates().input_bytes == 4000);
  CHECK(sampler.rates().output_bytes == 20);
  sampler.reset();
  CHECK(sampler.rates().commands == 0);
}

TEST_CASE("old samples are forgotten") {
  RateSampler sampler;
  for (std::int64_t i = 0; i < 100; ++i) {
    sampler.sample(Instant{i * 100}, {i < 50 ? 0 : static_cast<std::uint64_t>(i - 49) * 10, 0, 0});
  }
  CHECK(sampler.rates().commands == 100);
  sampler.sample(Instant{50}, {0, 0, 0});  // the clock was set back
  CHECK(sampler.rates().commands == 0);
}

TEST_CASE("percentiles are upper bounds of what so many calls took") {
  server::HistogramTotals histogram;
  CHECK(histogram.percentile_ns(50) == 0);
  histogram.counts[server::DurationHistogram::bucket_of(1000)] = 99;
  histogram.counts[server::DurationHistogram::bucket_of(1'000'000)] = 1;
  CHECK(histogram.count() == 100);
  CHECK(histogram.percentile_ns(50) >= 1000);
  CHECK(histogram.percentile_ns(99) < 1200);
  CHECK(histogram.percentile_ns(99.9) >= 1'000'000);
  CHECK(histogram.percentile_ns(100) < 1'200'000);
}
