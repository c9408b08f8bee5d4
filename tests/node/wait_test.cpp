// Clients that wait: time-outs, CLIENT UNBLOCK, disconnections.

#include <doctest/doctest.h>

#include "tests/node/fixture.h"

using magpie::testing::Client;
using magpie::testing::connect;
using magpie::testing::eventually;
using magpie::testing::id_of;
using magpie::testing::TestNode;
using namespace std::chrono_literals;

TEST_CASE("WAIT ends with its time-out, and the pipeline behind it goes on") {
  TestNode node;
  Client client(node);
  const auto before = std::chrono::steady_clock::now();
  client.send("PING\r\nWAIT 1 100\r\nPING\r\nWAIT 1 100\r\nECHO end\r\n");
  CHECK(client.reply() == "+PONG\r\n");
  CHECK(client.reply() == ":0\r\n");
  CHECK(client.reply() == "+PONG\r\n");
  CHECK(client.reply() == ":0\r\n");
  CHECK(client.reply() == "$3\r\nend\r\n");
  CHECK(std::chrono::steady_clock::now() - before > 150ms);
  client.send("WAIT 1 20\r\n");
  CHECK(client.reply() == ":0\r\n");
}

TEST_CASE("CLIENT UNBLOCK ends the waits of other loops, each once") {
  TestNode node;
  Client admin(node);
  std::vector<Client> waiters = connect(node, 6);
  bool with_error = false;
  for (Client& waiter : waiters) {
    const std::string id = id_of(waiter);
    waiter.send("WAIT 1 0\r\nPING\r\n");
    const std::string unblock = "CLIENT UNBLOCK " + id + (with_error ? " ERROR" : " TIMEOUT");
    CHECK(eventually([&] { return admin.run(unblock) == ":1\r\n"; }));
    CHECK(waiter.reply() == (with_error ? "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n" : ":0\r\n"));
    CHECK(waiter.reply() == "+PONG\r\n");
    CHECK(admin.run(unblock) == ":0\r\n");
    with_error = !with_error;
  }
}

TEST_CASE("an unblock that comes after its wait does not end the next one") {
  TestNode node;
  Client waiter(node);
  const auto id = magpie::server::ClientId{std::stoull(id_of(waiter))};
  waiter.send("WAIT 1 10\r\n");
  CHECK(waiter.reply() == ":0\r\n");
  waiter.send("WAIT 1 0\r\n");
  CHECK(waiter.silent(20));
  magpie::server::NodeControl& control = node.state().control;
  control.unblock_client(id, magpie::server::WaitNumber{1}, true);
  CHECK(waiter.silent(20));
  control.unblock_client(id, magpie::server::WaitNumber{2}, true);
  CHECK(waiter.reply() == "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
}

TEST_CASE("a waiting client that disconnects is noticed") {
  TestNode node;
  Client quiet(node);
  quiet.send("WAIT 1 0\r\n");
  Client busy(node);  // sends more than is read while it waits
  busy.send("WAIT 1 0\r\n");
  CHECK(busy.silent(20));
  constexpr std::size_t kMoreThanIsRead = 100'000;  // but little enough for the kernel to tell of the end behind it
  CHECK(busy.try_send(std::string(kMoreThanIsRead, '\n')));
  CHECK(quiet.silent(20));
  CHECK(node.state().clients.size() == 2);
  quiet.close();
  busy.close();
  CHECK(eventually([&] { return node.state().clients.size() == 0; }));
}

TEST_CASE("what a waiting client sends meanwhile is executed afterwards, in order") {
  TestNode node;
  Client client(node);
  client.send("WAIT 1 200\r\n");
  constexpr int kCommands = 5000;  // more than one read
  for (int i = 0; i < kCommands; ++i) client.send("INCR counter-with-a-long-name\r\n");
  CHECK(client.reply() == ":0\r\n");
  for (int i = 1; i <= kCommands; ++i) REQUIRE(client.reply() == ":" + std::to_string(i) + "\r\n");
}
