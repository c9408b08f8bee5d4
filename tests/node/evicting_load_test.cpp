// Several clients fill a node of four loops beyond its memory limit, while the limit changes and everything is flushed
// now and then: a key has its one possible value or is missing.

#include <doctest/doctest.h>

#include "server/engine/memory.h"
#include "tests/node/load.h"

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
