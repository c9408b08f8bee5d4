// Who may connect, and how connections and the node end.

#include <doctest/doctest.h>

#include <array>
#include <utility>

#include "tests/node/fixture.h"

using magpie::testing::Client;
using magpie::testing::eventually;
using magpie::testing::TestNode;

namespace {

void set(TestNode& node, magpie::ByteView option, magpie::ByteView value) {
  const std::array pairs{std::pair{option, value}};
  REQUIRE(node.config().set(pairs).has_value());
}

}  // namespace

TEST_CASE("a password that is set later holds for new connections only") {
  TestNode node;
  Client before(node);
  CHECK(before.run("SET k v") == "+OK\r\n");
  set(node, "requirepass", "secret");
  CHECK(before.run("GET k") == "$1\r\nv\r\n");
  Client after(node);
  CHECK(after.run("GET k") == "-NOAUTH Authentication required.\r\n");
  CHECK(after.run("AUTH wrong") == "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  CHECK(after.run("AUTH secret") == "+OK\r\n");
  CHECK(after.run("GET k") == "$1\r\nv\r\n");
  Client stranger(node);
  CHECK(stranger.run("PING") == "-NOAUTH Authentication required.\r\n");
  set(node, "requirepass", "");
  CHECK(stranger.run("PING") == "+PONG\r\n");
}

TEST_CASE("the limit of connections turns away, and a place is free again after a disconnection") {
  magpie::config::Settings settings;
  settings.maxclients = 3;
  TestNode node(settings);
  Client first(node);
  Client second(node);
  Client third(node);
  CHECK(first.run("PING") == "+PONG\r\n");
  CHECK(third.run("PING") == "+PONG\r\n");
  Client fourth(node);
  CHECK(fourth.reply() == "-ERR max number of clients reached\r\n");
  CHECK(fourth.closed());
  second.close();
  CHECK(eventually([&] { return Client(node).run("PING") == "+PONG\r\n"; }));
}

TEST_CASE("QUIT, protocol errors and HTTP close the connection, with or without a reply") {
  TestNode node;
  Client quits(node);
  CHECK(quits.run("QUIT now") == "+OK\r\n");
  CHECK(quits.closed());
  Client errs(node);
  CHECK(errs.run("*1\r\n!4") == "-ERR Protocol error: expected '$', got '!'\r\n");
  CHECK(errs.closed());
  Client browser(node);
  CHECK(browser.run("SET before it") == "+OK\r\n");
  browser.send("PING\r\nPOST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET k v\r\n");
  CHECK(browser.reply().empty());  // nor the PONG of the same turn
  CHECK(browser.closed());
  CHECK(eventually([&] { return node.state().clients.size() == 0; }));
  CHECK(Client(node).run("EXISTS k") == ":0\r\n");
}

TEST_CASE("a node stops whatever its clients do") {
  TestNode node;
  Client idle(node);
  Client waits(node);
  Client monitors(node);
  Client paused(node);
  Client transaction(node);
  Client stopped_reading(node);
  CHECK(idle.run("SET k " + std::string(50'000, 'x')) == "+OK\r\n");
  CHECK(transaction.run("WATCH k") == "+OK\r\n");
  CHECK(transaction.run("MULTI") == "+OK\r\n");
  CHECK(transaction.run("GET k") == "+QUEUED\r\n");
  CHECK(monitors.run("MONITOR") == "+OK\r\n");
  waits.send("WAIT 1 0\r\nPING\r\n");
  while (stopped_reading.try_send("GET k\r\nGET k\r\nGET k\r\n")) {
  }
  CHECK(idle.run("CLIENT PAUSE 100000 WRITE") == "+OK\r\n");
  paused.send("SET k v\r\n");
  CHECK(paused.silent(50));
  node.stop();
  CHECK(idle.closed());
  CHECK(waits.closed());
}

TEST_CASE("DEBUG that is not allowed is refused without waiting for keys") {
  TestNode node;
  Client client(node);
  node.state().keyspace.set_active_expiry(false);  // it would wait as well
  const auto guard = node.state().keyspace.lock(magpie::engine::kAllStripes);
  CHECK(client.run("DEBUG SLEEP 0").starts_with("-ERR DEBUG command not allowed."));
}
