#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "server/engine/keyspace.h"
#include "server/engine/memory.h"
#include "server/engine/stripe.h"
#include "tests/engine/random.h"

using magpie::engine::kAllStripes;
using magpie::engine::Keyspace;
using magpie::engine::kStripes;
using magpie::engine::StripeLock;
using magpie::engine::StripeMask;
using magpie::testing::Random;

namespace {

constexpr int kThreads = 4;

template <class Run>
void on_threads(Run&& run) {
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int number = 0; number < kThreads; ++number) threads.emplace_back([&run, number] { run(number); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("a stripe lock lets one in at a time") {
  StripeLock lock;
  std::int64_t counter = 0;  // not atomic: the lock guards it
  constexpr int kRounds = 50'000;
  on_threads([&](int) {
    for (int round = 0; round < kRounds; ++round) {
      lock.lock();
      ++counter;
      if (round % 1000 == 0) std::this_thread::yield();  // others fall asleep on it
      lock.unlock();
    }
  });
  CHECK(counter == std::int64_t{kThreads} * kRounds);
}

TEST_CASE("sets of stripes are taken in an order that cannot deadlock") {
  Keyspace keyspace({1, true});
  std::array<std::int64_t, kStripes> counters{};
  std::array<std::array<std::int64_t, kStripes>, kThreads> mine{};
  on_threads([&](int number) {
    Random random(static_cast<std::uint64_t>(number));
    for (int round = 0; round < 5000; ++round) {
      const StripeMask mask = random.one_in(50) ? kAllStripes : random.next() & random.next() & random.next();
      const Keyspace::Guard guard = keyspace.lock(mask);
      for (unsigned stripe = 0; stripe < kStripes; ++stripe) {
        if ((mask >> stripe & 1) == 0) continue;
        ++counters[stripe];
        ++mine[static_cast<std::size_t>(number)][stripe];
      }
    }
  });
  for (unsigned stripe = 0; stripe < kStripes; ++stripe) {
    std::int64_t sum = 0;
    for (const auto& one : mine) sum += one[stripe];
    CHECK(counters[stripe] == sum);
  }
}

TEST_CASE("a guard that moved unlocks once") {
  Keyspace keyspace({1, true});
  Keyspace::Guard outer;
  {
    Keyspace::Guard inner = keyspace.lock(3);
    outer = std::move(inner);
  }
  std::thread other([&] { const Keyspace::Guard guard = keyspace.lock(~StripeMask{3}); });
  other.join();
  outer = Keyspace::Guard();
  const Keyspace::Guard again = keyspace.lock(kAllStripes);
}

TEST_CASE("memory freed by another thread is counted right") {
  const std::int64_t before = magpie::engine::used_memory();
  std::array<std::vector<void*>, kThreads> blocks;
  on_threads([&](int number) {
    for (std::size_t size = 1; size < 2000; ++size) {
      blocks[static_cast<std::size_t>(number)].push_back(magpie::engine::allocate(size));
    }
  });
  CHECK(magpie::engine::used_memory() - before >= kThreads * 1999 * 1000);
  on_threads([&](int number) {
    for (void* block : blocks[static_cast<std::size_t>((number + 1) % kThreads)]) magpie::engine::deallocate(block);
    magpie::engine::note_peak();
  });
  CHECK(magpie::engine::used_memory() == before);
}
