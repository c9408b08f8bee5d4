// Many connections that behave badly in many ways, at the same time.

#include <doctest/doctest.h>

#include <thread>

#include "tests/node/misbehaviour.h"

using magpie::testing::Client;
using magpie::testing::come_and_go;
using magpie::testing::eventually;
using magpie::testing::TestNode;

TEST_CASE("two hundred connections that come, go and misbehave leave nothing behind") {
  TestNode node;
  REQUIRE(Client(node).run("SET large " + std::string(20'000, 'x')) == "+OK\r\n");
  std::vector<std::thread> threads;
  for (unsigned seed = 1; seed <= 4; ++seed) threads.emplace_back([&, seed] { come_and_go(node, seed, 50); });
  Client steady(node);
  for (int i = 0; i < 200; ++i) {
    steady.send("CLIENT LIST\r\nINCR steady\r\n");
    (void)steady.reply();
    REQUIRE(steady.reply() == ":" + std::to_string(i + 1) + "\r\n");
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(eventually([&] { return node.state().clients.size() == 1; }));
  CHECK(node.state().monitors.load() == 0);
  CHECK(steady.run("PING") == "+PONG\r\n");
}
