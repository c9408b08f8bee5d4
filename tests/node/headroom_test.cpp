#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "server/engine/memory.h"
#include "server/memory_limit.h"
#include "tests/node/fixture.h"

using magpie::engine::used_memory;
using magpie::testing::bulk;
using magpie::testing::Client;
using magpie::testing::encode;
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

TEST_CASE("who writes large values beside tiny keys waits for room, and gets all replies in order") {
  constexpr int kTiny = 200'000;
  constexpr int kBatch = 1000;
  constexpr int kLarge = 30;
  constexpr std::size_t kBytes = 200'000;
  TestNode node;
  Client owner(node);
  const std::int64_t before = used_memory();
  for (int first = 0; first < kTiny; first += kBatch) {
    std::string wire;
    for (int i = first; i < first + kBatch; ++i) wire += "SET " + std::to_string(i) + " v\r\n";
    owner.send(wire);
    for (int i = 0; i < kBatch; ++i) REQUIRE(owner.reply() == "+OK\r\n");
  }
  REQUIRE(owner.run("CONFIG SET maxmemory-policy allkeys-lru") == "+OK\r\n");
  const std::int64_t limit = used_memory();
  REQUIRE(limit > before + 1'000'000);
  REQUIRE(owner.run("CONFIG SET maxmemory " + std::to_string(limit)) == "+OK\r\n");
  const std::string value(kBytes, 'v');
  std::vector<Client> writers = magpie::testing::connect(node, 3);
  for (std::size_t number = 0; number < writers.size(); ++number) {
    std::string wire;
    for (int i = 0; i < kLarge; ++i) {
      wire += encode({"SET", "large:" + std::to_string(number) + ":" + std::to_string(i), value});
      wire += encode({"ECHO", std::to_string(i)});
    }
    writers[number].send(wire);
  }
  for (int i = 0; i < kLarge; ++i) {
    CHECK(owner.run("PING") == "+PONG\r\n");
    for (Client& writer : {std::ref(writers[0]), std::ref(writers[1])}) {
      CHECK(writer.reply() == "+OK\r\n");
      CHECK(writer.reply() == bulk(std::to_string(i)));
    }
    CHECK(used_memory() <= limit + limit / 32 + static_cast<std::int64_t>(8 * kBytes));
  }
  writers.pop_back();  // goes while it may still wait
  CHECK(eventually([&] { return used_memory() <= limit; }));
  CHECK(owner.run("PING") == "+PONG\r\n");
}
