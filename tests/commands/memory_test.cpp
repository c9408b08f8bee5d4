#include <doctest/doctest.h>

#include "tests/commands/test_server.h"

using magpie::testing::TestServer;

TEST_CASE("MEMORY USAGE grows with the value and does not count as use") {
  TestServer server;
  server.run({"SET", "small", "v"});
  server.run({"SET", "large", std::string(10000, 'x')});
  const auto usage = [&](const char* key) { return std::stoll(server.run({"MEMORY", "USAGE", key}).substr(1)); };
  CHECK(usage("small") >= 16);
  CHECK(usage("small") < 100);
  CHECK(usage("large") > 10000);
  CHECK(usage("large") < 13000);
  CHECK(server.run("MEMORY USAGE none") == "$-1\r\n");
  CHECK(server.run("MEMORY USAGE small SAMPLES 5").starts_with(":"));
  CHECK(server.run("MEMORY USAGE small SAMPLES") == "-ERR syntax error\r\n");
  CHECK(server.run("MEMORY USAGE small SAMPLES -1") == "-ERR syntax error\r\n");
  CHECK(server.run("MEMORY USAGE small SAMPLES x") == "-ERR value is not an integer or out of range\r\n");
  server.advance(5100);
  usage("small");
  CHECK(server.run("OBJECT IDLETIME small") == ":5\r\n");
}

TEST_CASE("MEMORY STATS lists each database that has keys") {
  TestServer server;
  server.run("SET a 1");
  server.run("SELECT 2");
  server.run("SET b 1");
  server.run("SET c 1");
  const std::string reply = server.run("MEMORY STATS");
  CHECK(reply.starts_with("*56\r\n$14\r\npeak.allocated\r\n:"));
  CHECK(reply.find("$4\r\ndb.0\r\n*6\r\n$23\r\noverhead.hashtable.main\r\n:") != std::string::npos);
  CHECK(reply.find("$4\r\ndb.2\r\n") != std::string::npos);
  CHECK(reply.find("$10\r\nkeys.count\r\n:3\r\n") != std::string::npos);
}

TEST_CASE("MEMORY DOCTOR, PURGE and MALLOC-STATS answer") {
  TestServer server;
  CHECK(server.run("MEMORY DOCTOR").starts_with("$"));
  CHECK(server.run("MEMORY PURGE") == "+OK\r\n");
  CHECK(server.run("MEMORY MALLOC-STATS").find("allocator: ") != std::string::npos);
}
