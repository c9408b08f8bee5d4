// Commands that reach over to clients of other loops.

#include <doctest/doctest.h>

#include <thread>

#include "tests/node/fixture.h"

using magpie::testing::bulk;
using magpie::testing::Client;
using magpie::testing::connect;
using magpie::testing::encode;
using magpie::testing::eventually;
using magpie::testing::id_of;
using magpie::testing::kSanitized;
using magpie::testing::TestNode;

TEST_CASE("CLIENT KILL reaches clients of every loop") {
  TestNode node;
  Client killer(node);
  std::vector<Client> victims = connect(node, 9);
  for (Client& victim : victims) {
    const std::string id = id_of(victim);
    CHECK(killer.run("CLIENT KILL ID " + id) == ":1\r\n");
    CHECK(killer.run("CLIENT KILL ID " + id) == ":0\r\n");
    CHECK(victim.closed());
  }
  std::vector<Client> more = connect(node, 9);
  for (Client& client : more) REQUIRE(client.run("PING") == "+PONG\r\n");
  CHECK(killer.run("CLIENT KILL TYPE normal") == ":9\r\n");
  for (Client& client : more) CHECK(client.closed());
  CHECK(killer.run("CLIENT KILL TYPE normal SKIPME no") == ":1\r\n");
  CHECK(killer.closed());
  CHECK(eventually([&] { return node.state().clients.size() == 0; }));
}

TEST_CASE("once CLIENT KILL has answered, nothing of the client is executed") {
  TestNode node;
  Client killer(node);
  constexpr int kRounds = kSanitized ? 4 : 20;
  constexpr std::size_t kVictims = 6;
  constexpr int kCommands = 20'000;  // many reads
  unsigned late = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Client> victims = connect(node, kVictims);
    std::vector<std::string> keys;
    std::string kill;
    for (std::size_t i = 0; i < kVictims; ++i) {
      kill += "CLIENT KILL ID " + id_of(victims[i]) + "\r\n";
      keys.push_back(std::to_string(i) + ":" + std::to_string(round));
      const std::string count = "INCR " + keys.back() + "\r\n";
      std::string burst = "CLIENT REPLY OFF\r\n";
      for (int n = 0; n < kCommands; ++n) burst += n % 10 == 0 ? "MULTI\r\n" + count + "EXEC\r\n" : count;
      victims[i].try_send(burst);
    }
    killer.send(kill);
    for (std::size_t i = 0; i < kVictims; ++i) CHECK(killer.reply() == ":1\r\n");
    std::vector<std::string> counts;
    counts.reserve(keys.size());
    for (const std::string& key : keys) counts.push_back(killer.run("GET " + key));
    for (Client& victim : victims) CHECK(victim.closed());
    REQUIRE(eventually([&] { return node.state().clients.size() == 1; }));
    for (std::size_t i = 0; i < kVictims; ++i) late += killer.run("GET " + keys[i]) == counts[i] ? 0 : 1;
  }
  CHECK(late == 0);
}

TEST_CASE("a client can be killed while it does not read its last replies") {
  TestNode node;
  Client killer(node);
  REQUIRE(killer.run("SET k " + std::string(10'000, 'x')) == "+OK\r\n");
  Client victim(node);
  const std::string id = id_of(victim);
  std::vector<std::string> keys(3000, "k");
  keys.insert(keys.begin(), "MGET");
  victim.send(encode(keys) + "QUIT\r\n");
  const auto listed = [&] { return killer.run("CLIENT LIST ID " + id); };
  CHECK(eventually([&] { return listed().find(" cmd=mget ") != std::string::npos; }));
  CHECK(killer.run("CLIENT KILL ID " + id) == ":1\r\n");
  CHECK(eventually([&] { return node.state().clients.size() == 1; }));
}

TEST_CASE("CLIENT LIST shows what of an unfinished command has come") {
  TestNode node;
  Client watcher(node);
  Client client(node);
  const std::string id = id_of(client);
  const auto shows = [&](std::string_view bytes, const std::string& fields) {
    client.send(bytes);
    return eventually([&] { return watcher.run("CLIENT LIST ID " + id).find(fields) != std::string::npos; });
  };
  CHECK(shows("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\n", " qbuf=0 qbuf-free=232 argv-mem=4 multi-mem=0 "));
  CHECK(shows("ab", " qbuf=2 "));
  CHECK(shows("cde\r\nGET", " qbuf=3 "));
  CHECK(client.reply() == "+OK\r\n");
  CHECK(client.run(" k") == bulk("abcde"));
  CHECK(shows("", " qbuf=0 qbuf-free=0 argv-mem=0 "));
  CHECK(client.run("CLIENT INFO").find(" qbuf=13 qbuf-free=0 argv-mem=10 multi-mem=0 ") != std::string::npos);
}

TEST_CASE("MONITOR shows the commands of every loop") {
  TestNode node;
  Client monitor(node);
  Client quiet(node);
  CHECK(monitor.run("MONITOR") == "+OK\r\n");
  quiet.send("MONITOR\r\n");
  CHECK(quiet.reply() == "+OK\r\n");
  CHECK(monitor.run("GET k").starts_with("-ERR Replica can't interact with the keyspace"));
  constexpr int kClients = 6;
  std::vector<Client> others = connect(node, kClients);
  constexpr int kEach = 50;
  for (int i = 0; i < kEach; ++i) {
    for (Client& client : others) client.send("PING\r\nPING\r\n");
  }
  for (int i = 0; i < kClients * kEach * 2; ++i) REQUIRE(monitor.reply().ends_with("] \"PING\"\r\n"));
  CHECK(monitor.run("RESET").find("RESET") != std::string::npos);
  quiet.reset();
  CHECK(eventually([&] { return node.state().monitors.load() == 0; }));
  for (Client& client : others) {
    for (int i = 0; i < kEach * 2; ++i) REQUIRE(client.reply() == "+PONG\r\n");
  }
}

TEST_CASE("a monitor that is one for the very next command sees it") {
  TestNode node;
  Client monitor(node);
  monitor.send("MONITOR\r\nECHO hi\r\n");
  CHECK(monitor.reply() == "+OK\r\n");
  CHECK(monitor.reply() == bulk("hi"));
  CHECK(monitor.reply().ends_with("] \"ECHO\" \"hi\"\r\n"));
}

TEST_CASE("a pause holds writes or everything, and ends by itself or by UNPAUSE") {
  TestNode node;
  Client admin(node);
  std::vector<Client> writers = connect(node, 6);
  CHECK(admin.run("CLIENT PAUSE 60000 WRITE") == "+OK\r\n");
  std::string wire;
  for (int i = 0; i < 3000; ++i)
    wire += encode({
        "INCR",
        "n",
    });
  for (Client& writer : writers) writer.send(wire);
  CHECK(admin.run("GET n") == "$-1\r\n");
  CHECK(writers[0].silent(50));
  CHECK(admin.run("CLIENT UNPAUSE") == "+OK\r\n");
  for (Client& writer : writers) {
    for (int i = 0; i < 3000; ++i) REQUIRE(writer.reply().starts_with(":"));
  }
  CHECK(admin.run("GET n") == bulk("18000"));
  const auto before = std::chrono::steady_clock::now();
  CHECK(admin.run("CLIENT PAUSE 200 ALL") == "+OK\r\n");
  for (Client& writer : writers) writer.send("PING\r\n");
  for (Client& writer : writers) CHECK(writer.reply() == "+PONG\r\n");
  CHECK(std::chrono::steady_clock::now() - before > std::chrono::milliseconds(150));
}

TEST_CASE("a paused client may go") {
  TestNode node;
  Client admin(node);
  CHECK(admin.run("CLIENT PAUSE 60000 WRITE") == "+OK\r\n");
  Client writer(node);
  writer.send("SET k v\r\n");
  CHECK(writer.silent(20));
  writer.close();
  CHECK(eventually([&] { return node.state().clients.size() == 1; }));
  CHECK(admin.run("CLIENT UNPAUSE") == "+OK\r\n");
  CHECK(admin.run("EXISTS k") == ":0\r\n");
}

TEST_CASE("transactions of many loops do not mix") {
  TestNode node;
  constexpr int kRounds = 300;
  const auto work = [&](int seed) {
    Client client(node);
    for (int i = 0; i < kRounds; ++i) {
      const std::string other = "key" + std::to_string((i * 7 + seed) % 5);
      client.send("MULTI\r\nINCR a\r\nINCR " + other + "\r\nINCR b\r\nMGET a b\r\nEXEC\r\n");
      for (int skipped = 0; skipped < 5; ++skipped) (void)client.reply();
      const std::string reply = client.reply();
      const std::size_t at = reply.rfind("*2\r\n$");
      const std::string both = reply.substr(at + 4);
      if (both.substr(0, both.size() / 2) != both.substr(both.size() / 2)) return false;
    }
    return true;
  };
  std::array<bool, 3> good{};
  std::vector<std::thread> threads;
  threads.reserve(3);
  for (int i = 0; i < 3; ++i) threads.emplace_back([&, i] { good[static_cast<std::size_t>(i)] = work(i); });
  for (std::thread& thread : threads) thread.join();
  CHECK(good == std::array{true, true, true});
  CHECK(Client(node).run("GET a") == bulk("900"));
}

TEST_CASE("a watched key that another loop changes fails the transaction") {
  TestNode node;
  Client watcher(node);
  Client writer(node);
  CHECK(watcher.run("WATCH k") == "+OK\r\n");
  CHECK(watcher.run("MULTI") == "+OK\r\n");
  CHECK(watcher.run("SET k mine") == "+QUEUED\r\n");
  CHECK(writer.run("SET k theirs") == "+OK\r\n");
  CHECK(writer.run("CLIENT LIST ID " + id_of(writer)).find(" flags=N ") != std::string::npos);
  CHECK(watcher.run("EXEC") == "*-1\r\n");
  CHECK(watcher.run("GET k") == bulk("theirs"));
}
