#include <doctest/doctest.h>

#include "tests/commands/test_server.h"

using magpie::ByteView;
using magpie::testing::TestServer;

TEST_CASE("a time to live runs down with the clock and ends the key") {
  TestServer server;
  server.run("SET k v");
  CHECK(server.run("TTL k") == ":-1\r\n");
  CHECK(server.run("EXPIRE k 10") == ":1\r\n");
  CHECK(server.run("PTTL k") == ":10000\r\n");
  server.advance(8'501);
  CHECK(server.run("TTL k") == ":1\r\n");  // to the nearest second
  CHECK(server.run("PTTL k") == ":1499\r\n");
  server.advance(1'499);
  CHECK(server.run("GET k") == "$1\r\nv\r\n");
  CHECK(server.run("PTTL k") == ":0\r\n");  // as in Redis, a key's last millisecond is the one it ends in
  server.advance(1);
  CHECK(server.run("TTL k") == ":-2\r\n");
  CHECK(server.run("GET k") == "$-1\r\n");
  CHECK(server.run("DBSIZE") == ":0\r\n");
  CHECK(server.keyspace().counters().expired == 1);
}

TEST_CASE("the time of expiry does not move with the clock") {
  TestServer server;
  server.run("SET k v");
  server.run("EXPIRE k 100");
  const std::string at = ":" + std::to_string(server.now().ms + 100'000) + "\r\n";
  CHECK(server.run("PEXPIRETIME k") == at);
  server.advance(50'000);
  CHECK(server.run("PEXPIRETIME k") == at);
  CHECK(server.run("EXPIRETIME k") == ":1700000100\r\n");
}

TEST_CASE("a time that is over deletes, as a deletion and not as an expiry") {
  for (const char* command : {"EXPIRE k 0", "EXPIRE k -1", "PEXPIRE k 0", "EXPIREAT k 1700000000",
                              "PEXPIREAT k 1700000000000", "EXPIREAT k -9223372036854775"}) {
    CAPTURE(command);
    TestServer server;
    server.run("SET k v");
    CHECK(server.run(command) == ":1\r\n");
    CHECK(server.run("EXISTS k") == ":0\r\n");
    CHECK(server.keyspace().counters().expired == 0);
  }
}

TEST_CASE("a key that is set with a time long past is not late by years") {
  for (const char* command : {"SET k v PXAT 1", "SET k v EXAT 1600000000", "MSETEX 1 k v PXAT 1"}) {
    CAPTURE(command);
    TestServer server;
    server.run(command);
    CHECK(server.run("GET k") == "$-1\r\n");
    CHECK(server.keyspace().counters().expired == 1);
    CHECK(server.keyspace().expiry_lag().longest_ns() == 1'000'000);
  }
}

TEST_CASE("what follows TIME in a burst does not run at an earlier time than it told") {
  TestServer server;
  server.advance_with_readings(20);
  const std::string replies = server.send("SET k v PX 10\r\nTIME\r\nGET k\r\n");
  CHECK(replies.ends_with("\r\n$-1\r\n"));
}

TEST_CASE("conditions are asked before a time that is over deletes") {
  TestServer server;
  server.run("SET k v");
  CHECK(server.run("EXPIRE k -1 GT") == ":0\r\n");
  CHECK(server.run("EXPIRE k -1 XX") == ":0\r\n");
  CHECK(server.run("EXPIRE k 10 XX LT") == ":0\r\n");
  CHECK(server.run("EXISTS k") == ":1\r\n");
  CHECK(server.run("EXPIRE k 10 LT") == ":1\r\n");  // no expiry is later than any
  CHECK(server.run("EXPIRE k 10 GT") == ":0\r\n");
  CHECK(server.run("EXPIRE k 11 GT") == ":1\r\n");
  CHECK(server.run("EXPIRE k 11 LT") == ":0\r\n");
  CHECK(server.run("EXPIRE k 5 NX") == ":0\r\n");
  CHECK(server.run("EXPIRE k -1 LT") == ":1\r\n");
  CHECK(server.run("EXISTS k") == ":0\r\n");
}

TEST_CASE("options are checked before the number, the number before the key") {
  TestServer server;
  CHECK(server.run("EXPIRE k abc FOO") == "-ERR Unsupported option FOO\r\n");
  CHECK(server.run("EXPIRE k abc NX GT") == "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n");
  CHECK(server.run("EXPIRE k abc XX XX") == "-ERR value is not an integer or out of range\r\n");
  CHECK(server.run("PEXPIRE k 9223372036854775807") == "-ERR invalid expire time in 'pexpire' command\r\n");
  CHECK(server.run({"EXPIRE", "k", "1", ByteView("a\0b", 3)}) == "-ERR Unsupported option a\r\n");
}

TEST_CASE("the furthest time is kept and shown without overflow") {
  TestServer server;
  server.run("SET k v");
  CHECK(server.run("PEXPIREAT k 9223372036854775807") == ":1\r\n");
  CHECK(server.run("PEXPIRETIME k") == ":9223372036854775807\r\n");
  CHECK(server.run("EXPIRETIME k") == ":9223372036854776\r\n");
  CHECK(server.run("EXISTS k") == ":1\r\n");
}

TEST_CASE("PERSIST takes the expiry away, once") {
  TestServer server;
  server.run("SET k v");
  server.run("EXPIRE k 10");
  CHECK(server.run("PERSIST k") == ":1\r\n");
  CHECK(server.run("PERSIST k") == ":0\r\n");
  server.advance(20'000);
  CHECK(server.run("GET k") == "$1\r\nv\r\n");
}

TEST_CASE("changing expiries over and over keeps the index small") {
  TestServer server;
  server.run("SET k v");
  for (int i = 1; i <= 10'000; ++i) server.run("EXPIRE k " + std::to_string(100 + i % 7));
  for (int i = 1; i <= 10'000; ++i) server.run(i % 2 == 0 ? "EXPIRE k 100" : "PERSIST k");
  CHECK(server.run("TTL k") == ":100\r\n");
  CHECK(server.keyspace().size(magpie::Db{0}, server.now()).volatile_keys == 1);
  CHECK(server.keyspace().overhead_memory() < 1'000'000);
}
