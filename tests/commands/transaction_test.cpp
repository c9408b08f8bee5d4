#include <doctest/doctest.h>

#include <array>
#include <utility>

#include "tests/commands/test_server.h"

using magpie::testing::TestServer;

namespace {

const std::string kOk = "+OK\r\n";
const std::string kQueued = "+QUEUED\r\n";
const std::string kNilArray = "*-1\r\n";

void set(TestServer& server, magpie::ByteView option, magpie::ByteView value) {
  const std::array pairs{std::pair{option, value}};
  REQUIRE(server.config().set(pairs).has_value());
}

/// Whether an EXEC after WATCH k and this command of another client still runs.
bool survives(TestServer& server, const std::string& other) {
  CHECK(server.run("WATCH k") == kOk);
  (void)server.run_as(1, other);
  CHECK(server.run("MULTI") == kOk);
  return server.run("EXEC") == "*0\r\n";
}

}  // namespace

TEST_CASE("EXEC runs what was queued, in order, and answers with all replies") {
  TestServer server;
  CHECK(server.run("MULTI") == kOk);
  CHECK(server.run("SET k v") == kQueued);
  CHECK(server.run("GET k") == kQueued);
  CHECK(server.run("INCR k") == kQueued);
  CHECK(server.run_as(1, "GET k") == "$-1\r\n");
  CHECK(server.run("EXEC") == "*3\r\n+OK\r\n$1\r\nv\r\n-ERR value is not an integer or out of range\r\n");
  CHECK(server.run("EXEC") == "-ERR EXEC without MULTI\r\n");
  CHECK(server.client().transaction.queue.empty());
}

TEST_CASE("a mistake while queueing aborts; nesting and WATCH inside do not") {
  TestServer server;
  CHECK(server.run("MULTI") == kOk);
  CHECK(server.run("MULTI") == "-ERR MULTI calls can not be nested\r\n");
  CHECK(server.run("WATCH k") == "-ERR WATCH inside MULTI is not allowed\r\n");
  CHECK(server.run("EXEC") == "*0\r\n");
  CHECK(server.run("MULTI") == kOk);
  CHECK(server.run("GET") == "-ERR wrong number of arguments for 'get' command\r\n");
  CHECK(server.run("SET k v") == kQueued);
  CHECK(server.client().transaction.queue.empty());  // it will not run: it is not kept
  CHECK(server.run("EXEC") == "-EXECABORT Transaction discarded because of previous errors.\r\n");
  CHECK(server.run("EXISTS k") == ":0\r\n");
  CHECK(server.run("MULTI") == kOk);
  CHECK(server.run("EXEC now") ==
        "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n");
  CHECK(server.run("DISCARD") == "-ERR DISCARD without MULTI\r\n");
}

TEST_CASE("a watched key that changes in any way makes EXEC answer nil") {
  TestServer server;
  for (const std::string change : {"SET k v", "DEL k", "APPEND k x", "EXPIRE k 100", "PERSIST k", "RENAME k l",
                                   "RENAME l k", "FLUSHALL", "COPY l k REPLACE"}) {
    CAPTURE(change);
    (void)server.run_as(2, "SET l v");
    (void)server.run_as(2, "SET k v EX 1000");
    CHECK_FALSE(survives(server, change));
  }
  (void)server.run("SET k v");
  for (const std::string no_change :
       {"GET k", "SET other v", "SET k v NX", "DEL missing", "EXPIRE missing 10", "PERSIST k"}) {
    CAPTURE(no_change);
    CHECK(survives(server, no_change));
  }
  (void)server.run("DEL k");
  CHECK(survives(server, "FLUSHALL"));
  CHECK(survives(server, "SWAPDB 0 1"));
  CHECK_FALSE(survives(server, "SET k v"));
  CHECK_FALSE(survives(server, "SWAPDB 0 1"));
}

TEST_CASE("a key that expires after WATCH is a change, one that had expired before is none") {
  TestServer server;
  (void)server.run("SET k v PX 100");
  CHECK(server.run("WATCH k") == kOk);
  server.advance(101);
  CHECK(server.run("MULTI") == kOk);
  CHECK(server.run("EXEC") == kNilArray);
  (void)server.run("SET k v PX 100");
  server.advance(101);
  CHECK(survives(server, "GET k"));
  (void)server.run("SET k v PX 100");
  server.advance(101);
  CHECK_FALSE(survives(server, "SET k w"));
}

TEST_CASE("DISCARD, UNWATCH, EXEC and RESET forget what is watched") {
  TestServer server;
  for (const char* forget : {"DISCARD", "UNWATCH", "EXEC", "RESET"}) {
    CAPTURE(forget);
    CHECK(server.run("WATCH k other") == kOk);
    CHECK(server.client().watch_count == 2);
    if (std::string(forget) != "UNWATCH") CHECK(server.run("MULTI") == kOk);
    (void)server.run_as(1, "SET k " + std::string(forget));
    (void)server.run(forget);
    CHECK(server.client().watch_count == 0);
    (void)server.run_as(1, "SET k again");
    CHECK(server.run("MULTI") == kOk);
    CHECK(server.run("GET k") == kQueued);
    CHECK(server.run("EXEC") == "*1\r\n$5\r\nagain\r\n");
  }
}

TEST_CASE("watching is per database, and a key watched twice is watched once") {
  TestServer server;
  CHECK(server.run("WATCH k k") == kOk);
  CHECK(server.client().watch_count == 1);
  (void)server.run_as(1, "SELECT 1");
  (void)server.run_as(1, "SET k v");
  CHECK(server.run("MULTI") == kOk);
  CHECK(server.run("EXEC") == "*0\r\n");
}

TEST_CASE("SELECT inside a transaction holds for what follows, also after it") {
  TestServer server;
  CHECK(server.run("MULTI") == kOk);
  for (const char* command : {"SELECT 1", "SET k one", "SWAPDB 1 2", "EXISTS k", "SELECT 2", "GET k", "DBSIZE"}) {
    CHECK(server.run(command) == kQueued);
  }
  CHECK(server.run("EXEC") == "*7\r\n+OK\r\n+OK\r\n+OK\r\n:0\r\n+OK\r\n$3\r\none\r\n:1\r\n");
  CHECK(server.run("GET k") == "$3\r\none\r\n");
}

TEST_CASE("a transaction that takes memory is refused as a whole when there is none") {
  TestServer server;
  CHECK(server.run("SET large " + std::string(1000, 'x')) == kOk);
  CHECK(server.run("MULTI") == kOk);
  CHECK(server.run("SET k v") == kQueued);
  set(server, "maxmemory", "1");
  CHECK(server.run("EXEC") ==
        "-EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.\r\n");
  CHECK(server.run("EXISTS k") == ":0\r\n");
  CHECK(server.run("MULTI") == kOk);
  CHECK(server.run("GET k") == "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
  CHECK(server.run("DISCARD") == kOk);
  CHECK(server.run("MULTI") == kOk);
  CHECK(server.run("EXEC") == "*0\r\n");
}

TEST_CASE("the replies inside a transaction follow a change of protocol") {
  TestServer server;
  (void)server.run("HELLO 3");
  CHECK(server.run("WATCH k") == kOk);
  (void)server.run_as(1, "SET k v");
  CHECK(server.run("MULTI") == kOk);
  CHECK(server.run("EXEC") == "_\r\n");
  CHECK(server.run("MULTI") == kOk);
  CHECK(server.run("GET none") == kQueued);
  CHECK(server.run("HELLO 2") == kQueued);
  CHECK(server.run("GET none") == kQueued);
  const std::string reply = server.run("EXEC");
  CHECK(reply.starts_with("*3\r\n_\r\n*14\r\n"));
  CHECK(reply.ends_with("*0\r\n$-1\r\n"));
}

TEST_CASE("MONITOR shows a transaction's commands as they run, then EXEC") {
  TestServer server;
  (void)server.run_as(1, "MONITOR");
  (void)server.run("MULTI");
  (void)server.run("SELECT 3");
  (void)server.run("CLIENT LIST");
  (void)server.run("EXEC");
  REQUIRE(server.monitor_lines.size() == 3);
  CHECK(server.monitor_lines[0].ends_with(" [0 127.0.0.1:50000] \"MULTI\""));
  CHECK(server.monitor_lines[1].ends_with(" [3 127.0.0.1:50000] \"SELECT\" \"3\""));
  CHECK(server.monitor_lines[2].ends_with(" [3 127.0.0.1:50000] \"EXEC\""));
}

TEST_CASE("memory of a client: what is queued and what is watched, with what keeping it takes") {
  TestServer server;
  const auto memory = [&] { return std::uint64_t{server.client().multi_memory}; };
  CHECK(server.run("WATCH a b a") == kOk);
  const std::uint64_t watched = memory();
  CHECK(watched >= 2 * sizeof(magpie::server::WatchedKey));
  CHECK(server.run("WATCH b") == kOk);
  CHECK(memory() == watched);
  CHECK(server.run("MULTI") == kOk);
  for (int i = 0; i < 100; ++i) CHECK(server.run("PING") == kQueued);
  CHECK(memory() >= watched + 100 * sizeof(magpie::server::QueuedCommand));
  CHECK(memory() == server.client().transaction.queued_bytes);
  CHECK(server.run("DISCARD") == kOk);
  CHECK(memory() == 0);
  CHECK(server.run("WATCH " + std::string(10'000, 'k')) == kOk);
  CHECK(memory() >= 10'000);
  CHECK(server.run("MULTI") == kOk);
  CHECK(server.run("PING") == kQueued);
  CHECK(server.run("EXEC") == "*1\r\n+PONG\r\n");
  CHECK(memory() == 0);
  CHECK(server.run("WATCH a") == kOk);
  CHECK(server.run("UNWATCH") == kOk);
  CHECK(memory() == 0);
  CHECK(server.client().transaction.queued_bytes == 0);
}

TEST_CASE("a transaction with more than max-group-bytes is refused") {
  magpie::config::Settings settings;
  settings.max_group_bytes = 1000;
  TestServer server(settings);
  CHECK(server.run("MULTI") == kOk);
  CHECK(server.run({"SET", "k", std::string(2000, 'x')}) == kQueued);
  CHECK(server.run("EXEC") == "-EXECABORT Transaction discarded because it is larger than max-group-bytes.\r\n");
  CHECK(server.run("GET k") == "$-1\r\n");
  CHECK(server.run("MULTI") == kOk);
  CHECK(server.run({"SET", "k", "x"}) == kQueued);
  CHECK(server.run("EXEC") == "*1\r\n+OK\r\n");
}
