#include "server/engine/duration_histogram.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "server/engine/keyspace.h"
#include "tests/engine/keyspace_fixture.h"

using magpie::Db;
using magpie::Instant;
using magpie::engine::DurationScale;
using magpie::engine::Erase;
using magpie::engine::EraseReason;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::engine::SharedDurationHistogram;
using magpie::testing::expire_all;
using magpie::testing::kNow;
using magpie::testing::put;

namespace {

constexpr std::uint64_t kMs = 1'000'000;

std::uint64_t count_of(const SharedDurationHistogram& histogram, std::uint64_t ns) {
  return histogram.count(DurationScale::bucket_of(ns));
}

}  // namespace

TEST_CASE("every duration lies in a bucket that ends at most an eighth above it") {
  for (std::uint64_t ns = 0; ns < std::uint64_t{1} << 41; ns += 1 + ns / 7) {
    const std::uint64_t upper = DurationScale::upper_bound_ns(DurationScale::bucket_of(ns));
    CHECK(upper >= ns);
    CHECK(upper <= ns + ns / 8);
    CHECK(DurationScale::bucket_of(upper) == DurationScale::bucket_of(ns));
    CHECK(DurationScale::bucket_of(upper + 1) == DurationScale::bucket_of(ns) + 1);
  }
  CHECK(DurationScale::bucket_of(UINT64_MAX) == DurationScale::kBuckets - 1);
}

TEST_CASE("what several threads add is all there, with the longest") {
  SharedDurationHistogram histogram;
  std::vector<std::thread> threads;
  for (std::uint64_t number = 0; number < 4; ++number) {
    threads.emplace_back([&histogram, number] {
      for (std::uint64_t i = 0; i < 10'000; ++i) histogram.add(number * 10'000 + i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::uint64_t sum = 0;
  for (unsigned bucket = 0; bucket < DurationScale::kBuckets; ++bucket) sum += histogram.count(bucket);
  CHECK(sum == 40'000);
  CHECK(histogram.longest_ns() == 39'999);
  histogram.reset();
  CHECK(histogram.longest_ns() == 0);
  CHECK(count_of(histogram, 39'999) == 0);
}

TEST_CASE("how late a key expires is noted, in the background and on access") {
  Keyspace keyspace({1, true});
  put(keyspace, "background", "v", Instant{kNow.ms + 1000});
  put(keyspace, "access", "v", Instant{kNow.ms + 2000});
  put(keyspace, "deleted", "v", Instant{kNow.ms + 2000});
  put(keyspace, "evicted", "v", Instant{kNow.ms + 2000});
  CHECK(expire_all(keyspace, Instant{kNow.ms + 1007}) == 1);
  CHECK(count_of(keyspace.expiry_lag(), 7 * kMs) == 1);
  const Instant later{kNow.ms + 2300};
  keyspace.apply(Erase{Db{0}, Key::of("deleted")}, later);
  keyspace.apply(Erase{Db{0}, Key::of("evicted"), EraseReason::Evicted}, later);
  CHECK(keyspace.expiry_lag().longest_ns() == 7 * kMs);
  CHECK(keyspace.find(Db{0}, Key::of("access"), later) == nullptr);
  CHECK(keyspace.expiry_lag().longest_ns() == 300 * kMs);
  CHECK(count_of(keyspace.expiry_lag(), 300 * kMs) == 1);
  keyspace.reset_counters();
  CHECK(keyspace.expiry_lag().longest_ns() == 0);
}

TEST_CASE("a time far in the past is as late as the scale goes") {
  Keyspace keyspace({1, true});
  put(keyspace, "long ago", "v", Instant{1});
  put(keyspace, "before everything", "v", Instant{INT64_MIN});
  CHECK(expire_all(keyspace, kNow) == 2);
  CHECK(keyspace.expiry_lag().count(DurationScale::kBuckets - 1) == 2);
}
