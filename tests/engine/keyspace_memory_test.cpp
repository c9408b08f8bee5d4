// What was taken is given back: by erasing, by expiry, by lazy freeing of flushed databases.
#include <doctest/doctest.h>

#include <string>

#include "server/engine/keyspace.h"
#include "server/engine/memory.h"
#include "tests/engine/keyspace_fixture.h"

using magpie::Db;
using magpie::Instant;
using magpie::engine::Erase;
using magpie::engine::Flush;
using magpie::engine::kAllStripes;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::engine::kStripes;
using magpie::engine::PagePool;
using magpie::engine::Partition;
using magpie::engine::Put;
using magpie::engine::StringValue;
using magpie::engine::used_memory;
using magpie::testing::expire_all;
using magpie::testing::kNow;
using magpie::testing::number_key;
using magpie::testing::put;

namespace {

constexpr int kKeys = 50'000;
// What a stripe keeps once it had keys: its partition with the lists of pages, and the first page of its table.
constexpr std::int64_t kKeptByPartition = sizeof(Partition) + 1024;
constexpr std::int64_t kFirstPage = PagePool::kPage;
constexpr std::int64_t kKept = kStripes * (kKeptByPartition + kFirstPage);

void fill(Keyspace& keyspace, std::int64_t expires_in) {
  for (int number = 0; number < kKeys; ++number) {
    put(keyspace, number_key(number), "some value that takes a while to write",
        expires_in == 0 ? std::nullopt : std::optional(Instant{kNow.ms + expires_in + number}));
  }
}

}  // namespace

TEST_CASE("erasing everything gives the memory back") {
  Keyspace keyspace({2, true});
  const std::int64_t before = used_memory();
  for (const std::int64_t expires_in : {0, 1000}) {
    fill(keyspace, expires_in);
    CHECK(used_memory() > before + kKeys * 58);
    for (int number = 0; number < kKeys; ++number) {
      const std::string key = number_key(number);
      keyspace.apply(Erase{Db{0}, Key::of(key)}, kNow);
    }
    CHECK(keyspace.keys(Db{0}) == 0);
    CHECK(used_memory() <= before + kKept);
  }
}

TEST_CASE("expiring everything gives the memory back") {
  Keyspace keyspace({2, true});
  const std::int64_t before = used_memory();
  fill(keyspace, 1000);
  CHECK(expire_all(keyspace, Instant{kNow.ms + 1001}) == 1);
  CHECK(expire_all(keyspace, Instant{kNow.ms + 1001 + kKeys}) == kKeys - 1);
  CHECK(keyspace.keys(Db{0}) == 0);
  CHECK(used_memory() <= before + kKept);
}

TEST_CASE("a flushed database is freed in slices, and counted until then") {
  Keyspace keyspace({2, true});
  const std::int64_t before = used_memory();
  fill(keyspace, 1000);
  {
    const Keyspace::Guard guard = keyspace.lock(kAllStripes);
    keyspace.apply(Flush{Db{1}}, kNow);
    CHECK(keyspace.keys(Db{0}) == kKeys);
    keyspace.apply(Flush{std::nullopt}, kNow);
    CHECK(keyspace.keys(Db{0}) == 0);
  }
  CHECK(keyspace.pending_lazy_free() == kKeys);
  CHECK(used_memory() > before + kKeys * 60);
  put(keyspace, "fresh", "value");
  std::size_t steps = 0;
  std::uint64_t pending = keyspace.pending_lazy_free();
  while (keyspace.free_some(100) > 0) {
    ++steps;
    CHECK(pending - keyspace.pending_lazy_free() <= 100 + PagePool::kPage / 40);  // whole pages of entries
    pending = keyspace.pending_lazy_free();
  }
  CHECK(steps >= kKeys / 200);
  CHECK(keyspace.pending_lazy_free() == 0);
  CHECK(keyspace.counters().lazily_freed == kKeys);
  CHECK(keyspace.keys(Db{0}) == 1);
  CHECK(used_memory() <= before + kStripes * kKeptByPartition + kFirstPage);
  keyspace.reset_counters();
  CHECK(keyspace.counters().lazily_freed == 0);
}

TEST_CASE("a keyspace that goes with data and trash leaves nothing") {
  const std::int64_t before = used_memory();
  {
    Keyspace keyspace({2, true});
    fill(keyspace, 1000);
    keyspace.apply(Flush{std::nullopt}, kNow);
    fill(keyspace, 0);
  }
  CHECK(used_memory() == before);
}

TEST_CASE("databases that were used leave next to nothing behind") {
  constexpr std::uint32_t kDatabases = 500;
  Keyspace keyspace({kDatabases, true});
  keyspace.apply(Put{Db{0}, Key::of("k"), StringValue::plain("v"), std::nullopt}, kNow);
  const std::int64_t before = used_memory();
  for (std::uint32_t db = 1; db < kDatabases; ++db) {
    keyspace.apply(Put{Db{db}, Key::of("k"), StringValue::plain("v"), Instant{kNow.ms + 1}}, kNow);
  }
  CHECK(used_memory() - before > std::int64_t{kDatabases} * static_cast<std::int64_t>(sizeof(Partition)));
  keyspace.apply(Flush{std::nullopt}, kNow);
  while (keyspace.free_some(1000) > 0) {
  }
  CHECK(used_memory() - before < std::int64_t{kDatabases} * 256);  // the lists of pages
  keyspace.apply(Put{Db{0}, Key::of("k"), StringValue::plain("v"), std::nullopt}, kNow);  // in one of those
  CHECK(keyspace.keys(Db{0}) == 1);
}

TEST_CASE("databases that are filled a little and flushed again and again do not pile up") {
  Keyspace keyspace({2, true});
  const auto pages = [] { return PagePool::instance().usage().taken; };
  const std::size_t before = pages();
  for (int round = 0; round < 1000; ++round) {
    for (int number = 0; number < 8; ++number) put(keyspace, number_key(number), "value");
    keyspace.apply(Flush{Db{0}}, kNow);
  }
  CHECK(pages() - before < 8 * 4);  // nothing was freed in the background
  CHECK(keyspace.pending_lazy_free() <= 100);
  CHECK(keyspace.counters().lazily_freed + keyspace.pending_lazy_free() == 8000);
}

TEST_CASE("overhead is what tables and expiry state take") {
  Keyspace keyspace({2, true});
  const std::size_t empty = keyspace.overhead_memory();
  const std::int64_t before = used_memory();
  fill(keyspace, 1000);
  std::size_t entries = 0;
  keyspace.visit_all(Db{0}, [&](magpie::engine::Entry& entry) { entries += magpie::engine::EntryHeap::memory(entry); });
  const auto taken = static_cast<std::size_t>(used_memory() - before);
  const std::size_t overhead = keyspace.overhead_memory() - empty;
  CHECK(taken > entries);
  CHECK(overhead >= (taken - entries) * 9 / 10);
  CHECK(overhead <= (taken - entries) * 11 / 10 + kStripes * 256);
  CHECK(overhead / kKeys < 70);
}

TEST_CASE("what a key costs beyond itself is judged by some of them") {
  Keyspace keyspace({2, true});
  CHECK(keyspace.key_cost().keys == 0);
  CHECK(keyspace.key_cost().overhead == 0);
  const std::int64_t before = used_memory();
  std::size_t payload = 0;
  for (int number = 0; number < kKeys; ++number) {
    const std::string key = number_key(number);
    const std::string value(static_cast<std::size_t>(number % 1000), 'v');
    put(keyspace, key, value);
    payload += key.size() + value.size();
  }
  const auto beyond = static_cast<double>(used_memory() - before) - static_cast<double>(payload);
  const Keyspace::KeyCost cost = keyspace.key_cost();
  CHECK(cost.keys == kKeys);
  // It is a sample, and knows the gaps: in each stripe, of each size of cells, up to a page.
  constexpr double kGaps = 72.0 * kStripes * PagePool::kPage / kKeys;
  CHECK(cost.overhead > beyond / kKeys * 0.8);
  CHECK(cost.overhead < beyond / kKeys * 1.2 + kGaps);
}

TEST_CASE("the peak is the highest that was noted") {
  magpie::engine::note_peak();
  const std::int64_t first = magpie::engine::peak_memory();
  void* block = magpie::engine::allocate(1 << 20);
  magpie::engine::note_peak();
  magpie::engine::deallocate(block);
  magpie::engine::note_peak();
  CHECK(magpie::engine::peak_memory() >= used_memory() + (1 << 20));
  CHECK(magpie::engine::peak_memory() >= first);
}
