#include <doctest/doctest.h>

#include "tests/commands/test_server.h"

using magpie::testing::TestServer;

namespace {

/// " first first+1 ... last" with a prefix each.
std::string numbered(const std::string& prefix, int first, int last) {
  std::string words;
  for (int number = first; number <= last; ++number) words += " " + prefix + std::to_string(number);
  return words;
}

void fill(TestServer& server, const std::string& prefix, int first, int last) {
  for (int number = first; number <= last; ++number) {
    server.run("SET " + prefix + std::to_string(number) + " " + std::to_string(number));
  }
}

}  // namespace

TEST_CASE("commands with many keys count each, whatever the size of the window that looks ahead") {
  for (const int count : {1, 2, 15, 16, 17, 31, 32, 33, 100}) {
    CAPTURE(count);
    TestServer server;
    fill(server, "k", 1, count);
    const std::string names = numbered("k", 1, count);
    const std::string reply = ":" + std::to_string(count) + "\r\n";
    CHECK(server.run("EXISTS" + names) == reply);
    CHECK(server.run("TOUCH" + names) == reply);
    CHECK(server.run("DEL" + names) == reply);
    CHECK(server.run("EXISTS" + names) == ":0\r\n");
    CHECK(server.run("DBSIZE") == ":0\r\n");
  }
}

TEST_CASE("a key named twice exists twice and is deleted once") {
  TestServer server;
  fill(server, "k", 1, 40);
  const std::string twice = numbered("k", 1, 40) + numbered("k", 1, 40);
  CHECK(server.run("EXISTS" + twice) == ":80\r\n");
  CHECK(server.run("UNLINK" + twice) == ":40\r\n");
}

TEST_CASE("looking at a key is not using it") {
  TestServer server;
  server.run("SET k v");
  server.advance(60'000);
  for (const char* command : {"EXISTS k", "TYPE k", "TTL k", "PTTL k", "EXPIRETIME k", "OBJECT ENCODING k"}) {
    server.run(command);
    CAPTURE(command);
    CHECK(server.run("OBJECT IDLETIME k") == ":60\r\n");
  }
  server.run("TOUCH k");
  CHECK(server.run("OBJECT IDLETIME k") == ":0\r\n");
}

TEST_CASE("TOUCH touches even for a client that does not touch otherwise") {
  TestServer server;
  server.run("SET k v");
  server.client().no_touch = true;
  server.advance(60'000);
  server.run("GET k");
  CHECK(server.run("OBJECT IDLETIME k") == ":60\r\n");
  server.run("TOUCH k");
  CHECK(server.run("OBJECT IDLETIME k") == ":0\r\n");
}

TEST_CASE("a clock that was set back leaves keys used just now, not ages ago") {
  TestServer server;
  server.run("SET k v");
  server.advance(-10'000);
  CHECK(server.run("OBJECT IDLETIME k") == ":0\r\n");
}

TEST_CASE("RENAME takes value, form and expiry along and drops the target's") {
  TestServer server;
  const std::string large(1 << 20, 'x');
  server.run({"SET", "a", large});
  server.run("SET b old");
  server.run("EXPIRE b 1000");
  CHECK(server.run("RENAME a b") == "+OK\r\n");
  CHECK(server.run("TTL b") == ":-1\r\n");
  CHECK(server.run("GET b") == "$1048576\r\n" + large + "\r\n");
  CHECK(server.run("EXISTS a") == ":0\r\n");
  server.run("EXPIRE b 50");
  server.run("RENAME b c");
  CHECK(server.run("TTL c") == ":50\r\n");
  CHECK(server.run("RENAMENX c c") == ":0\r\n");
  CHECK(server.run("RENAME c c") == "+OK\r\n");
  CHECK(server.run("TTL c") == ":50\r\n");
  CHECK(server.run("RENAME a c") == "-ERR no such key\r\n");
}

TEST_CASE("renaming while the table grows and shrinks loses nothing") {
  TestServer server;
  fill(server, "old", 1, 2000);
  for (int number = 1; number <= 2000; ++number) {
    REQUIRE(server.run("RENAME" + numbered("old", number, number) + numbered("new", number, number)) == "+OK\r\n");
  }
  CHECK(server.run("DBSIZE") == ":2000\r\n");
  CHECK(server.run("EXISTS" + numbered("new", 1, 2000)) == ":2000\r\n");
  CHECK(server.run("GET new1234") == "$4\r\n1234\r\n");
}

TEST_CASE("COPY and MOVE across databases") {
  TestServer server;
  server.run("SET k 1");
  server.run("EXPIRE k 100");
  CHECK(server.run("COPY k k") == "-ERR source and destination objects are the same\r\n");
  CHECK(server.run("COPY k k DB 1") == ":1\r\n");
  CHECK(server.run("COPY k k DB 1") == ":0\r\n");
  CHECK(server.run("MOVE k 1") == ":0\r\n");
  CHECK(server.run("MOVE k 2") == ":1\r\n");
  CHECK(server.run("EXISTS k") == ":0\r\n");
  for (const char* db : {"SELECT 1", "SELECT 2"}) {
    server.run(db);
    CHECK(server.run("GET k") == "$1\r\n1\r\n");
    CHECK(server.run("TTL k") == ":100\r\n");
  }
}

TEST_CASE("an expired key is neither a source nor in the way of a target") {
  TestServer server;
  server.run("SET gone 1");
  server.run("PEXPIRE gone 10");
  server.run("SET k 2");
  server.run("COPY gone gone DB 1");
  server.advance(11);
  CHECK(server.run("RENAME gone x") == "-ERR no such key\r\n");
  CHECK(server.run("COPY gone x") == ":0\r\n");
  CHECK(server.run("RENAMENX k gone") == ":1\r\n");
  CHECK(server.run("TTL gone") == ":-1\r\n");
  CHECK(server.run("MOVE gone 1") == ":1\r\n");
}

TEST_CASE("the access state goes with a renamed key and not with a copy") {
  TestServer server;
  server.keyspace().set_eviction({.policy = magpie::engine::EvictionPolicy::AllKeysLfu, .lfu_log_factor = 0});
  server.run("SET k v");
  for (int i = 0; i < 20; ++i) server.run("GET k");
  const std::string used = server.run("OBJECT FREQ k");
  server.run("COPY k copy");
  server.run("RENAME k renamed");
  CHECK(server.run("OBJECT FREQ copy") == ":5\r\n");
  CHECK(server.run("OBJECT FREQ renamed") != ":5\r\n");
  CHECK(used != ":5\r\n");
  CHECK(server.run("OBJECT IDLETIME renamed").starts_with("-ERR An LFU maxmemory policy is selected"));
}

TEST_CASE("WAIT blocks for its time, and not at all if no replica is asked for") {
  TestServer server;
  CHECK(server.run("WAIT 0 0") == ":0\r\n");
  CHECK_FALSE(server.client().blocked.has_value());
  CHECK(server.run("WAIT 1 500").empty());
  REQUIRE(server.client().blocked.has_value());
  CHECK(server.client().blocked->until == magpie::Instant{server.now().ms + 500});
  CHECK(server.run_as(1, "WAIT 1 0").empty());
  REQUIRE(server.client(1).blocked.has_value());
  CHECK_FALSE(server.client(1).blocked->until.has_value());
  CHECK(server.run_as(2, "WAIT 1 9223372036854775807").empty());
  CHECK_FALSE(server.client(2).blocked->until.has_value());
  CHECK(server.run_as(3, "WAITAOF 0 0 0") == "*2\r\n:0\r\n:0\r\n");
  CHECK(server.run_as(3, "WAITAOF 0 1 5").empty());
  CHECK(server.client(3).blocked->counts_file);
}
