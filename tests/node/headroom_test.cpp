#include <doctest/doctest.h>

#include "server/engine/memory.h"
#include "server/memory_limit.h"
#include "tests/node/fixture.h"

using magpie::engine::used_memory;
using magpie::testing::Client;
using magpie::testing::eventually;
using magpie::testing::TestNode;

TEST_CASE("a node that is full keeps a little room ahead of its writers") {
  constexpr std::int64_t kData = std::int64_t{32} << 20;
  constexpr int kBatch = 100;
  constexpr int kBatches = 800;
  TestNode node;
  Client client(node);
  const std::int64_t limit = used_memory() + kData;
  REQUIRE(client.run("CONFIG SET maxmemory-policy allkeys-lru") == "+OK\r\n");
  REQUIRE(client.run("CONFIG SET maxmemory " + std::to_string(limit)) == "+OK\r\n");
  const std::string value(500, 'v');
  for (int batch = 0; batch < kBatches; ++batch) {
    std::string wire;
    for (int i = 0; i < kBatch; ++i) wire += "SET " + std::to_string(batch * kBatch + i) + " " + value + "\r\n";
    client.send(wire);
    for (int i = 0; i < kBatch; ++i) REQUIRE(client.reply() == "+OK\r\n");
  }
  const std::int64_t free = magpie::server::headroom(limit);
  CHECK(free > 10'000);
  CHECK(eventually([&] { return used_memory() <= limit - free; }));
  CHECK(used_memory() > limit - kData / 4);  // and not much more
}

TEST_CASE("the room ahead is small, and grows with the limit up to a bound") {
  CHECK(magpie::server::headroom(0) == 0);
  CHECK(magpie::server::headroom(1 << 20) == 512);
  CHECK(magpie::server::headroom(std::int64_t{1} << 40) == 256 * 1024);
}
