#include <doctest/doctest.h>

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
using magpie::testing::kSanitized;
using magpie::testing::TestNode;

namespace {

constexpr std::size_t kLargeBytes = 200'000;

/// Fills the node with tiny keys, of which it evicts from now on; returns its limit, all they take.
std::int64_t fill_with_tiny_keys(Client& client) {
  constexpr int kKeys = kSanitized ? 70'000 : 100'000;
  constexpr int kBatch = 1000;
  const std::int64_t before = used_memory();
  for (int first = 0; first < kKeys; first += kBatch) {
    std::string wire;
    for (int i = first; i < first + kBatch; ++i) wire += "SET " + std::to_string(i) + " v\r\n";
    client.send(wire);
    for (int i = 0; i < kBatch; ++i) REQUIRE(client.reply() == "+OK\r\n");
  }
  REQUIRE(client.run("CONFIG SET maxmemory-policy allkeys-lru") == "+OK\r\n");
  const std::int64_t limit = used_memory();
  REQUIRE(limit > before + 1'000'000);
  REQUIRE(client.run("CONFIG SET maxmemory " + std::to_string(limit)) == "+OK\r\n");
  return limit;
}

}  // namespace

TEST_CASE("a node that is full keeps a little room ahead of its writers") {
  constexpr std::int64_t kData = std::int64_t{32} << 20;
  constexpr int kBatch = 100;
  constexpr int kBatches = kSanitized ? 200 : 800;
  constexpr std::size_t kValue = kSanitized ? 2000 : 500;
  TestNode node;
  Client client(node);
  const std::int64_t limit = used_memory() + kData;
  REQUIRE(client.run("CONFIG SET maxmemory-policy allkeys-lru") == "+OK\r\n");
  REQUIRE(client.run("CONFIG SET maxmemory " + std::to_string(limit)) == "+OK\r\n");
  const std::string value(kValue, 'v');
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
  constexpr int kLarge = 30;
  TestNode node;
  Client owner(node);
  const std::int64_t limit = fill_with_tiny_keys(owner);
  std::vector<Client> writers = magpie::testing::connect(node, 2);
  for (std::size_t number = 0; number < writers.size(); ++number) {
    std::string wire;
    for (int i = 0; i < kLarge; ++i) {
      const std::string key = "large:" + std::to_string(number) + ":" + std::to_string(i);
      wire += encode({"SET", key, std::string(kLargeBytes, 'v')});
      wire += encode({"ECHO", std::to_string(i)});
    }
    writers[number].send(wire);
  }
  for (int i = 0; i < kLarge; ++i) {
    CHECK(owner.run("PING") == "+PONG\r\n");
    for (Client& writer : writers) {
      CHECK(writer.reply() == "+OK\r\n");
      CHECK(writer.reply() == bulk(std::to_string(i)));
    }
    CHECK(used_memory() <= limit + limit / 32 + static_cast<std::int64_t>(8 * kLargeBytes));
  }
  CHECK(eventually([&] { return used_memory() <= limit; }));
}

TEST_CASE("what a client sends before its orderly end is executed though it has to wait for room") {
  TestNode node;
  Client owner(node);
  const std::int64_t limit = fill_with_tiny_keys(owner);
  REQUIRE(owner.run("CONFIG SET maxmemory " + std::to_string(limit / 4 * 3)) == "+OK\r\n");
  const std::string value(kLargeBytes, 'v');
  Client gone(node);
  gone.send(encode({"SET", "gone", value}));
  gone.reset();
  Client client(node);
  client.send(encode({"SET", "large", value}) + encode({"ECHO", "end"}));
  client.shut_down_writing();
  CHECK(client.reply() == "+OK\r\n");
  CHECK(client.reply() == bulk("end"));
  CHECK(client.closed());
  CHECK((owner.run("GET large") == bulk(value)));
}
