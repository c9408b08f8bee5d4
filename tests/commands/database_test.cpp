#include <doctest/doctest.h>

#include "server/engine/memory.h"
#include "tests/commands/test_server.h"

using magpie::testing::TestServer;

namespace {

void fill(TestServer& server, int keys) {
  const std::string value(200, 'v');
  for (int number = 0; number < keys; ++number) server.run({"SET", "key:" + std::to_string(number), value});
}

}  // namespace

TEST_CASE("a flush that waits frees all memory at once") {
  TestServer server;
  fill(server, 1000);  // partitions, once made, stay
  server.run("FLUSHALL SYNC");
  const std::int64_t before = magpie::engine::used_memory();
  fill(server, 5000);
  CHECK(magpie::engine::used_memory() > before + 1'000'000);
  CHECK(server.run("FLUSHALL SYNC") == "+OK\r\n");
  CHECK(server.keyspace().pending_lazy_free() == 0);
  CHECK(server.keyspace().counters().lazily_freed == 0);
  CHECK(magpie::engine::used_memory() < before + 100'000);
  CHECK(server.run("DBSIZE") == ":0\r\n");
}

TEST_CASE("a lazy flush answers first and frees everything later") {
  TestServer server;
  fill(server, 1000);  // partitions, once made, stay
  server.run("FLUSHALL SYNC");
  const std::int64_t before = magpie::engine::used_memory();
  fill(server, 5000);
  CHECK(server.run("FLUSHDB ASYNC") == "+OK\r\n");
  CHECK(server.run("DBSIZE") == ":0\r\n");
  CHECK(server.run("GET key:1") == "$-1\r\n");
  CHECK(server.keyspace().pending_lazy_free() == 5000);
  fill(server, 10);
  while (server.keyspace().free_some(20) > 0) {
  }
  CHECK(server.keyspace().pending_lazy_free() == 0);
  CHECK(server.keyspace().counters().lazily_freed == 5000);
  CHECK(server.run("DBSIZE") == ":10\r\n");
  CHECK(magpie::engine::used_memory() < before + 200'000);
}

TEST_CASE("the configuration says how to flush where the command does not") {
  magpie::config::Settings settings;
  settings.lazyfree_lazy_user_flush = true;
  TestServer lazy(settings);
  fill(lazy, 10);
  lazy.run("FLUSHALL");
  CHECK(lazy.keyspace().pending_lazy_free() == 10);
  fill(lazy, 10);
  lazy.run("FLUSHALL SYNC");
  CHECK(lazy.keyspace().pending_lazy_free() == 0);
  TestServer eager;
  fill(eager, 10);
  eager.run("FLUSHALL");
  CHECK(eager.keyspace().pending_lazy_free() == 0);
}

TEST_CASE("FLUSHDB empties one database, FLUSHALL all") {
  TestServer server;
  server.run("SET a 1");
  server.run("SELECT 1");
  server.run("SET b 2");
  server.run("SELECT 2");
  server.run("SET c 3");
  server.run("FLUSHDB");
  CHECK(server.run("DBSIZE") == ":0\r\n");
  server.run("SELECT 1");
  CHECK(server.run("DBSIZE") == ":1\r\n");
  CHECK(server.run("FLUSHALL FOO") == "-ERR syntax error\r\n");
  server.run("FLUSHALL");
  CHECK(server.run("DBSIZE") == ":0\r\n");
  server.run("SELECT 0");
  CHECK(server.run("DBSIZE") == ":0\r\n");
}

TEST_CASE("SWAPDB exchanges what every client sees, expiries included") {
  TestServer server;
  server.run("SET a 1");
  server.run("EXPIRE a 100");
  server.run_as(1, "SELECT 9");
  CHECK(server.run("SWAPDB 0 9") == "+OK\r\n");
  CHECK(server.run("EXISTS a") == ":0\r\n");
  CHECK(server.run_as(1, "TTL a") == ":100\r\n");
  CHECK(server.run("SWAPDB 9 9") == "+OK\r\n");
  CHECK(server.run("SWAPDB 0 16") == "-ERR DB index is out of range\r\n");
  CHECK(server.run("SWAPDB x 0") == "-ERR invalid first DB index\r\n");
  CHECK(server.run("SWAPDB 0 x") == "-ERR invalid second DB index\r\n");
  server.advance(100'001);
  CHECK(server.run_as(1, "EXISTS a") == ":0\r\n");
}

TEST_CASE("expired keys of a swapped database are found by active expiry") {
  TestServer server;
  server.run("SET a 1");
  server.run("PEXPIRE a 10");
  server.run("SWAPDB 0 3");
  server.advance(11);
  for (unsigned number = 0; number < magpie::engine::kStripes; ++number) {
    server.keyspace().expire_some(magpie::engine::StripeIndex{static_cast<std::uint8_t>(number)}, server.now(), 20);
  }
  server.run("SELECT 3");
  CHECK(server.run("DBSIZE") == ":0\r\n");
}
