// What a command evicts before it runs; background slices, which do not run here, evict the rest.
#include "server/memory_limit.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "server/engine/memory.h"
#include "tests/commands/test_server.h"

using magpie::engine::used_memory;
using magpie::server::evictions_for;
using magpie::testing::TestServer;

namespace {

constexpr std::int64_t kMegabyte = 1 << 20;

void set(TestServer& server, magpie::ByteView option, magpie::ByteView value) {
  const std::array pairs{std::pair{option, value}};
  REQUIRE(server.config().set(pairs).has_value());
}

std::uint64_t evicted(TestServer& server) { return server.keyspace().counters().evicted; }

/// Small keys of four megabytes or more, and nothing that may be added to them.
std::int64_t fill(TestServer& server) {
  while (server.keyspace().free_some(1000) > 0) {  // large blocks of other tests, which would go before keys
  }
  const std::int64_t before = used_memory();
  for (int number = 0; used_memory() < before + 4 * kMegabyte; ++number) {
    server.run("SET small:" + std::to_string(number) + " 12345678901234567890123456789012");
  }
  server.keyspace().set_eviction({.policy = magpie::engine::EvictionPolicy::AllKeysLru});
  const std::int64_t limit = used_memory();
  set(server, "maxmemory", std::to_string(limit));
  return limit;
}

/// Empty if the command has to wait for more room: then its wait is over, and it is to come again.
std::string run_once(TestServer& server, const std::string& command) {
  const std::uint64_t before = evicted(server);
  const std::string reply = server.run(command);
  REQUIRE(evicted(server) <= before + magpie::server::kMostInlineEvictions + 2);
  magpie::server::ClientState& client = server.client();
  REQUIRE(reply.empty() == client.blocked.has_value());
  if (client.blocked) {
    REQUIRE(client.blocked->kind == magpie::server::Blocked::Kind::Room);
    magpie::OutputBuffer out;
    server.dispatcher().finish_wait(client, out, false);
    REQUIRE(out.empty());
  }
  return reply;
}

}  // namespace

TEST_CASE("a command evicts a few keys, and for what it brings where memory is far above the limit") {
  CHECK(evictions_for(1, 32 * kMegabyte, kMegabyte) == 16);
  CHECK(evictions_for(kMegabyte, 32 * kMegabyte, kMegabyte) == 16);
  CHECK(evictions_for(kMegabyte + 16, 32 * kMegabyte, kMegabyte) == 17);
  CHECK(evictions_for(100 * kMegabyte, 32 * kMegabyte, kMegabyte) == 16 + kMegabyte / 16);
  CHECK(evictions_for(100 * kMegabyte, 32 * kMegabyte, 100) == 22);
  CHECK(evictions_for(100 * kMegabyte, 1, 0) == 16);
}

TEST_CASE("what a large value needs is evicted by the commands after it, a few keys each") {
  TestServer server;
  const std::int64_t limit = fill(server);
  const std::string large(static_cast<std::size_t>(limit / 64), 'x');
  CHECK(server.run("SET large " + large) == "+OK\r\n");
  CHECK(evicted(server) <= 16);
  CHECK(used_memory() > limit);
  int commands = 0;
  while (used_memory() > limit) {
    const std::uint64_t before = evicted(server);
    REQUIRE(server.run("SET one value") == "+OK\r\n");
    const std::uint64_t now = evicted(server);
    REQUIRE(now > before);
    REQUIRE(now <= before + 16);
    ++commands;
  }
  CHECK(commands > 10);
}

TEST_CASE("a writer of large values does not outrun eviction") {
  TestServer server;
  const std::int64_t limit = fill(server);
  const std::string large(200'000, 'x');
  unsigned waits = 0;
  for (int number = 0; number < 200; ++number) {
    const std::string command = "SET large:" + std::to_string(number) + ' ' + large;
    std::string reply;
    while ((reply = run_once(server, command)).empty()) ++waits;
    REQUIRE(reply == "+OK\r\n");
    REQUIRE(used_memory() <= limit + limit / 32 + 2 * static_cast<std::int64_t>(large.size()));
  }
  CHECK(evicted(server) > 200);
  CHECK(waits > 200);
}

TEST_CASE("a limit that is set far below what there is stalls no command") {
  TestServer server;
  fill(server);
  set(server, "maxmemory", std::to_string(kMegabyte));
  CHECK(server.run("SET one value") == "+OK\r\n");
  CHECK(evicted(server) <= 18);
}

TEST_CASE("a command that waits for room runs once there is enough, or no limit") {
  TestServer server;
  const std::int64_t limit = fill(server);
  const std::string command = "SET large " + std::string(200'000, 'x');
  set(server, "maxmemory", std::to_string(limit / 2));
  CHECK(run_once(server, command).empty());
  CHECK(server.client().evictions_owed > 0);
  set(server, "maxmemory", "0");
  CHECK(run_once(server, command) == "+OK\r\n");
  set(server, "maxmemory", std::to_string(limit / 2));
  CHECK(run_once(server, command).empty());
  set(server, "maxmemory-policy", "noeviction");
  server.keyspace().set_eviction({.policy = magpie::engine::EvictionPolicy::NoEviction});
  CHECK(run_once(server, command).starts_with("-OOM"));
  CHECK(server.client().evictions_owed == 0);
}
