#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

#include "server/commands/command_table.h"
#include "server/engine/keyspace.h"
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
    input.append("SET k").append(number).append(" ").append(number).append("\r\n");
    input.append("GET k").append(number).append("\r\n");
    expected.append("+OK\r\n$").append(std::to_string(number.size())).append("\r\n");
    expected.append(number).append("\r\n");
  }
  CHECK(server.send(input) == expected);
}

TEST_CASE("what ran before a wait for another thread's lock is counted before the wait") {
  TestServer server;
  const auto stripe_of = [](std::string_view key) { return magpie::engine::Key::of(key).stripe; };
  REQUIRE(stripe_of("a") != stripe_of("b"));
  server.run("SET a 1");
  server.run("SET b 2");
  const auto& calls = server.state().loops[0]->commands[magpie::commands::find_command("get")->id].calls;
  std::string replies;
  std::thread other;
  {
    const auto guard = server.keyspace().lock(magpie::engine::mask_of(stripe_of("b")));
    other = std::thread([&] { replies = server.send("GET a\r\nGET a\r\nGET b\r\n"); });
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (calls < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    CHECK(calls == 2);
  }
  other.join();
  CHECK(replies == "$1\r\n1\r\n$1\r\n1\r\n$1\r\n2\r\n");
  CHECK(calls == 3);
}
