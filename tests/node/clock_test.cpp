// The time at which commands run, when something before them took long.

#include <doctest/doctest.h>

#include "tests/node/fixture.h"

using magpie::testing::Client;
using magpie::testing::TestNode;

namespace {
magpie::config::Settings one_loop() {
  magpie::config::Settings settings;
  settings.threads = 1;
  settings.enable_debug_command = magpie::config::Permission::Yes;
  return settings;
}
}  // namespace

TEST_CASE("a key that expires while a burst runs is gone for the rest of the burst") {
  const TestNode node(one_loop());
  Client client(node);
  client.send("SET a 1 PX 20\r\nDEBUG SLEEP 0.05\r\nGET a\r\n");
  CHECK(client.reply() == "+OK\r\n");
  CHECK(client.reply() == "+OK\r\n");
  CHECK(client.reply() == "$-1\r\n");
}

TEST_CASE("a time to live counts from when the command runs, not from when it was read") {
  const TestNode node(one_loop());
  Client slow(node);
  Client fast(node);
  for (int round = 0; round < 3; ++round) {
    slow.send("DEBUG SLEEP 0.1\r\n");
    fast.send(
        "SET lock x PX 60000\r\nPEXPIRETIME lock\r\nDEBUG SLEEP 0.1\r\nSET lock x PX 60000\r\nPEXPIRETIME lock\r\n");
    CHECK(slow.reply() == "+OK\r\n");
    CHECK(fast.reply() == "+OK\r\n");
    const long long first = std::stoll(fast.reply().substr(1));
    CHECK(fast.reply() == "+OK\r\n");
    CHECK(fast.reply() == "+OK\r\n");
    CHECK(std::stoll(fast.reply().substr(1)) >= first + 100);
  }
}
