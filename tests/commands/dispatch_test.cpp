#include <doctest/doctest.h>

#include "tests/commands/test_server.h"

using magpie::testing::TestServer;

TEST_CASE("a value that was set is read back") {
  TestServer server;
  CHECK(server.run("GET key") == "$-1\r\n");
  CHECK(server.run("SET key value") == "+OK\r\n");
  CHECK(server.run("GET key") == "$5\r\nvalue\r\n");
}

TEST_CASE("an unknown command is named with its arguments") {
  TestServer server;
  CHECK(server.run("nonsense a b") == "-ERR unknown command 'nonsense', with args beginning with: 'a' 'b' \r\n");
}

TEST_CASE("a wrong number of arguments is refused") {
  TestServer server;
  CHECK(server.run("GET") == "-ERR wrong number of arguments for 'get' command\r\n");
}

TEST_CASE("pipelined commands are answered in order") {
  TestServer server;
  std::string input;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    const std::string number = std::to_string(i);
    input += "SET k" + number + " " + number + "\r\nGET k" + number + "\r\n";
    expected += "+OK\r\n$" + std::to_string(number.size()) + "\r\n" + number + "\r\n";
  }
  CHECK(server.send(input) == expected);
}
