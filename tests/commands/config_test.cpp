#include <doctest/doctest.h>

#include "tests/commands/test_server.h"

using magpie::testing::TestServer;

TEST_CASE("CONFIG SET changes what CONFIG GET shows, all pairs or none") {
  TestServer server;
  CHECK(server.run("CONFIG SET slowlog-max-len 5 hz 20") == "+OK\r\n");
  CHECK(server.run("CONFIG GET slowlog-max-len") == "*2\r\n$15\r\nslowlog-max-len\r\n$1\r\n5\r\n");
  CHECK(server.run("CONFIG SET slowlog-max-len 6 nosuch 1").starts_with("-ERR Unknown option"));
  CHECK(server.run("CONFIG GET slowlog-max-len") == "*2\r\n$15\r\nslowlog-max-len\r\n$1\r\n5\r\n");
  CHECK(server.run("CONFIG SET hz 10 timeout") == "-ERR syntax error\r\n");
  CHECK(server.run("CONFIG SET hz") == "-ERR wrong number of arguments for 'config|set' command\r\n");
  CHECK(server.run("CONFIG GET nosuch") == "*0\r\n");
}

TEST_CASE("CONFIG SET is in force with the next command") {
  TestServer server;
  server.run("CONFIG SET slowlog-log-slower-than 0");
  server.run("PING");
  CHECK(server.state().slow_commands.size() == 2);  // CONFIG SET itself is the first
}

TEST_CASE("a password that CONFIG SET sets is in no log") {
  TestServer server;
  server.run("CONFIG SET slowlog-log-slower-than 0");
  server.run("CONFIG SET hz 10 requirepass sesame");
  CHECK(server.run("SLOWLOG GET 1").find("sesame") == std::string::npos);
}

TEST_CASE("CONFIG REWRITE needs a file") {
  TestServer server;
  CHECK(server.run("CONFIG REWRITE").starts_with("-ERR "));
}

TEST_CASE("HELP and unknown subcommands of containers") {
  TestServer server;
  CHECK(
      server.run("CONFIG HELP").starts_with("*11\r\n+CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
  CHECK(server.run("CONFIG NOSUCH") == "-ERR unknown subcommand 'NOSUCH'. Try CONFIG HELP.\r\n");
}
