// Several clients fill a node of four loops beyond its memory limit, while the limit changes and everything is flushed
// now and then: a key has its one possible value or is missing.

#include <doctest/doctest.h>

#include <algorithm>

#include "server/engine/memory.h"
#include "tests/node/load.h"

using magpie::server::totals_of;
using magpie::testing::bulk;
using magpie::testing::Client;
using magpie::testing::encode;
using magpie::testing::eventually;
using magpie::testing::expect;
using magpie::testing::expect_either;
using magpie::testing::expect_number;
using magpie::testing::four_loops;
using magpie::testing::Random;
using magpie::testing::rounds;
using magpie::testing::run_all;
using magpie::testing::TestNode;

namespace {

std::string value_of(std::uint64_t key) { return std::string(key % 700, static_cast<char>('a' + key % 26)); }

std::int64_t fill(const TestNode& node, Random random) {
  constexpr std::uint64_t kKeys = 20'000;
  constexpr std::size_t kPipeline = 25;
  Client client(node);
  std::int64_t stored = 0;
  for (int i = 0; i < 400 * rounds(); ++i) {
    std::string wire;
    std::vector<std::uint64_t> asked;
    while (asked.size() < kPipeline) {
      const std::uint64_t key = random.below(kKeys);
      asked.push_back(random.one_in(2) ? key : random.below(kKeys));
      wire += encode({"SET", "k" + std::to_string(key), value_of(key)});
      wire += encode({"GET", "k" + std::to_string(asked.back())});
    }
    client.send(wire);
    for (const std::uint64_t key : asked) {
      if (expect_either(client, "+OK\r\n", "-OOM ")) ++stored;
      expect_either(client, bulk(value_of(key)), "$-1\r\n");
    }
  }
  return stored;
}

/// Writes ever new keys, half of which live for some milliseconds, and looks at some of the last.
std::int64_t grow(const TestNode& node, Random random) {
  constexpr std::uint64_t kPipeline = 50;
  Client client(node);
  const std::string own = "new" + std::to_string(random.next()) + ':';
  std::uint64_t next = 0;
  std::int64_t found = 0;
  for (int i = 0; i < 200 * rounds(); ++i) {
    std::string wire;
    std::vector<std::uint64_t> asked;
    while (asked.size() < kPipeline) {
      std::vector<std::string> set{"SET", own + std::to_string(next), value_of(next)};
      if (random.one_in(2)) set.insert(set.end(), {"PX", std::to_string(1 + random.below(30))});
      asked.push_back(next - std::min(next, random.below(1000)));
      wire += encode(set) + encode({"GET", own + std::to_string(asked.back())});
      ++next;
    }
    client.send(wire);
    for (const std::uint64_t key : asked) {
      expect_either(client, "+OK\r\n", "-OOM ");
      if (expect_either(client, bulk(value_of(key)), "$-1\r\n")) ++found;
    }
  }
  return found;
}

std::int64_t change_limits(const TestNode& node, Random random) {
  Client client(node);
  const std::int64_t used = magpie::engine::used_memory();
  for (int i = 0; i < 20 * rounds(); ++i) {
    const std::int64_t limit = used + static_cast<std::int64_t>((1 + random.below(4)) << 19);
    client.send("CONFIG SET maxmemory " + std::to_string(limit) + " maxmemory-policy allkeys-lru\r\n");
    expect(client, "+OK\r\n");
    if (random.one_in(5)) {
      client.send("FLUSHALL ASYNC\r\nSWAPDB 0 1\r\n");
      expect(client, "+OK\r\n");
      expect(client, "+OK\r\n");
    }
    for (int command = 0; command < 50; ++command) client.send("DBSIZE\r\n");
    for (int command = 0; command < 50; ++command) expect_number(client);
  }
  return 0;
}

}  // namespace

TEST_CASE("a load that evicts on four loops, with flushes: values are right or missing") {
  TestNode node(four_loops());
  const std::int64_t stored = run_all(node, {fill, fill, fill, change_limits});
  CHECK(stored > 0);
  Client client(node);
  CHECK(node.state().keyspace.counters().evicted > 0);
  CHECK(client.run("CONFIG SET maxmemory 0") == "+OK\r\n");
  CHECK(client.run("FLUSHALL") == "+OK\r\n");
  CHECK(client.run("DBSIZE") == ":0\r\n");
  CHECK(client.run("SELECT 1") == "+OK\r\n");
  CHECK(client.run("DBSIZE") == ":0\r\n");
  CHECK(eventually([&] { return node.state().keyspace.pending_lazy_free() == 0; }));
}

TEST_CASE(
    "growth, expiry and eviction at once on four loops: values are right or missing, and in the end all is gone") {
  TestNode node(four_loops());
  CHECK(run_all(node, {grow, grow, grow, fill, change_limits}) > 0);
  const auto& keyspace = node.state().keyspace;
  CHECK(keyspace.counters().evicted > 0);
  CHECK(eventually([&] { return keyspace.counters().expired > 0; }));
  CHECK(eventually([&] { return totals_of(node.state().background_slices).count() > 0; }));
  Client client(node);
  CHECK(client.run("FLUSHALL") == "+OK\r\n");
  CHECK(client.run("DBSIZE") == ":0\r\n");
  CHECK(totals_of(keyspace.expiry_lag()).count() == keyspace.counters().expired);
  CHECK(totals_of(keyspace.expiry_lag()).percentile_ns(0) >= 1'000'000);  // what has expired is a millisecond late
  CHECK(eventually([&] { return keyspace.pending_lazy_free() == 0; }));
}
