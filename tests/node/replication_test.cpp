// Nodes that follow each other, over sockets.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "server/engine/keyspace.h"
#include "tests/node/pair.h"

using magpie::Lsn;
using magpie::config::Settings;
using magpie::engine::kAllStripes;
using magpie::testing::Client;
using magpie::testing::eventually;
using magpie::testing::follow;
using magpie::testing::link_is_up;
using magpie::testing::replicaof;
using magpie::testing::TestNode;
using magpie::testing::with_threads;

namespace {

/// Asked by its own thread: a node with one thread takes no locks.
std::string digest(const TestNode& node) {
  std::string reply = Client(node).run("DEBUG DIGEST");
  REQUIRE(reply.starts_with('+'));
  return reply;
}

/// Once nobody writes to the leader, which may still erase what has expired.
void check_same(TestNode& leader, TestNode& follower) {
  CHECK(eventually([&] {
    const Lsn end = leader.state().replication.log_end();
    return end == follower.state().replication.log_end() && digest(leader) == digest(follower);
  }));
}

/// Writes of several clients, as long as it lives.
class Load {
 public:
  explicit Load(const TestNode& node) {
    for (int writer = 0; writer < 3; ++writer) threads_.emplace_back([this, &node, writer] { write(node, writer); });
  }
  ~Load() {
    ends_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  int rounds() const { return rounds_; }

 private:
  void write(const TestNode& node, int writer) {
    Client client(node);
    const std::string name = std::to_string(writer);
    for (int round = 0; !ends_; ++round) {
      const std::string key = name + ":" + std::to_string(round % 500);
      std::string wire;
      for (const auto& command :
           std::initializer_list<std::vector<std::string>>{{"SET", key, "value" + std::to_string(round)},
                                                           {"RPUSH", "list" + name, key},
                                                           {"LTRIM", "list" + name, "-100", "-1"},
                                                           {"MSET", key + "a", "1", key + "b", "2"},
                                                           {"RENAME", key + "a", key + "c"},
                                                           {"PEXPIRE", key + "b", "5"}}) {
        wire += magpie::testing::encode(command);
      }
      client.send(wire);
      constexpr int kReplies = 6;
      for (int reply = 0; reply < kReplies; ++reply) {
        if (client.reply().empty()) return;
      }
      if (round % 97 == 0 && writer == 0) client.run("SWAPDB 0 1");
      ++rounds_;
    }
  }
  std::atomic<bool> ends_ = false;
  std::atomic<int> rounds_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("followers of a busy leader end with the same data, and so do their followers") {
  TestNode leader(with_threads(4));
  TestNode follower(with_threads(3));
  TestNode single(with_threads(1));
  TestNode last(with_threads(2));
  {
    const Load load(leader);
    REQUIRE(eventually([&] { return load.rounds() > 200; }));
    follow(follower, leader);
    follow(single, leader);
    follow(last, follower);
    const int before = load.rounds();
    REQUIRE(eventually([&] { return load.rounds() > before + 200; }));
  }
  check_same(leader, follower);
  check_same(leader, single);
  check_same(follower, last);
  CHECK(leader.state().replication.followers().size() == 2);
}

TEST_CASE("WAIT answers once so many replicas have confirmed") {
  TestNode leader(with_threads(4));
  TestNode follower(with_threads(2));
  follow(follower, leader);
  Client client(leader);
  for (int i = 0; i < 100; ++i) {
    client.send("SET key " + std::to_string(i) + "\r\nWAIT 1 0\r\n");
    CHECK(client.reply() == "+OK\r\n");
    CHECK(client.reply() == ":1\r\n");
    CHECK(Client(follower).run("GET key").ends_with("\r\n" + std::to_string(i) + "\r\n"));
  }
  CHECK(client.run("WAIT 2 10") == ":1\r\n");
  CHECK(client.run("WAITAOF 0 1 10") == "*2\r\n:0\r\n:0\r\n");
}

TEST_CASE("a replica takes no writes, and becomes a leader that does") {
  TestNode leader(with_threads(2));
  TestNode follower(with_threads(2));
  follow(follower, leader);
  Client client(follower);
  const std::string read_only = "-READONLY You can't write against a read only replica.\r\n";
  client.send("SET a 1\r\nSET b 2\r\nGET a\r\nMULTI\r\nSET a 1\r\nEXEC\r\n");
  CHECK(client.reply() == read_only);
  CHECK(client.reply() == read_only);
  CHECK(client.reply() == "$-1\r\n");
  CHECK(client.reply() == "+OK\r\n");
  CHECK(client.reply() == read_only);
  CHECK(client.reply().starts_with("-EXECABORT"));
  CHECK(client.run("CONFIG SET replica-read-only no") == "+OK\r\n");
  CHECK(client.run("SET own 1") == "+OK\r\n");
  CHECK(client.run("DEL own") == ":1\r\n");
  CHECK(client.run("REPLICAOF NO ONE") == "+OK\r\n");
  CHECK(client.run("SET a 1") == "+OK\r\n");
  CHECK(client.run("CONFIG GET replicaof").ends_with("$0\r\n\r\n"));
  // The other way round; it has all that the new leader had when it began to lead, so the log goes on.
  const Lsn begin = follower.state().replication.log()->begin();
  follow(leader, follower);
  check_same(follower, leader);
  CHECK(leader.state().replication.log()->begin() <= begin);
}

TEST_CASE("FAILOVER loses no write that was answered") {
  TestNode first(with_threads(3));
  TestNode second(with_threads(2));
  follow(second, first);
  std::atomic<int> written = 0;
  std::thread writer([&] {
    Client client(first);
    for (int i = 1; client.run("SET key " + std::to_string(i)) == "+OK\r\n"; ++i) written = i;
  });
  REQUIRE(eventually([&] { return written > 100; }));
  CHECK(Client(first).run("FAILOVER TIMEOUT 10000") == "+OK\r\n");
  writer.join();
  REQUIRE(eventually([&] { return link_is_up(first); }));
  CHECK(Client(second).run("GET key").ends_with("\r\n" + std::to_string(written) + "\r\n"));
  CHECK(Client(second).run("SET key over") == "+OK\r\n");
  check_same(second, first);
  CHECK(Client(first).run("FAILOVER") == "-ERR FAILOVER is not valid when server is a replica.\r\n");
}

TEST_CASE("a FAILOVER to a replica that cannot have all is given up, and writes go on") {
  TestNode leader(with_threads(2));
  TestNode follower(with_threads(2));
  CHECK(Client(leader).run("FAILOVER") == "-ERR FAILOVER requires connected replicas.\r\n");
  follow(follower, leader);
  Client client(leader);
  CHECK(client.run("FAILOVER TO 127.0.0.1 1") == "-ERR FAILOVER target HOST and PORT is not a replica.\r\n");
  CHECK(client.run("FAILOVER ABORT") == "-ERR No failover in progress.\r\n");
  // The follower stops: it cannot confirm.
  const auto held = follower.state().keyspace.lock(kAllStripes);
  CHECK(client.run("SET a 1") == "+OK\r\n");
  CHECK(client.run("FAILOVER") == "+OK\r\n");
  CHECK(client.run("FAILOVER") == "-ERR FAILOVER already in progress.\r\n");
  CHECK(client.run("REPLICAOF h 1") == "-ERR REPLICAOF not allowed while failing over.\r\n");
  Client writer(leader);
  writer.send("SET b 1\r\n");
  CHECK(writer.silent(20));
  CHECK(client.run("FAILOVER ABORT") == "+OK\r\n");
  CHECK(writer.reply() == "+OK\r\n");
  CHECK(eventually([&] { return client.run("FAILOVER ABORT") == "-ERR No failover in progress.\r\n"; }));
  CHECK(client.run("FAILOVER TIMEOUT 1") == "+OK\r\n");
  writer.send("SET b 2\r\n");
  CHECK(writer.reply() == "+OK\r\n");
}

TEST_CASE("writes need as many replicas as min-replicas-to-write says") {
  TestNode leader(with_threads(2));
  TestNode follower(with_threads(2));
  Client client(leader);
  CHECK(client.run("CONFIG SET min-replicas-to-write 1") == "+OK\r\n");
  CHECK(client.run("SET a 1") == "-NOREPLICAS Not enough good replicas to write.\r\n");
  CHECK(client.run("GET a") == "$-1\r\n");
  follow(follower, leader);
  CHECK(eventually([&] { return client.run("SET a 1") == "+OK\r\n"; }));
  CHECK(Client(follower).run("REPLICAOF NO ONE") == "+OK\r\n");
  CHECK(eventually([&] { return client.run("SET a 1").starts_with("-NOREPLICAS"); }));
  CHECK(client.run("CONFIG SET min-replicas-to-write 0") == "+OK\r\n");
  CHECK(client.run("SET a 1") == "+OK\r\n");
}

TEST_CASE("without the leader's password the link stays down and says why") {
  Settings secret = with_threads(2);
  secret.requirepass = "secret";
  TestNode leader(secret);
  TestNode follower(with_threads(2));
  Client client(follower);
  const auto reason = [&] { return follower.state().replication.leader().reason(); };
  CHECK(client.run(replicaof(leader)) == "+OK\r\n");
  CHECK(eventually([&] { return reason().find("masterauth") != std::string::npos; }));
  CHECK(client.run("INFO replication").find("master_link_down_reason:") != std::string::npos);
  CHECK(client.run("CONFIG SET masterauth wrong") == "+OK\r\n");
  CHECK(eventually([&] { return reason().find("WRONGPASS") != std::string::npos; }));
  CHECK(client.run("CONFIG SET masterauth secret") == "+OK\r\n");
  CHECK(eventually([&] { return link_is_up(follower); }));
  CHECK(client.run("INFO replication").find("master_link_status:up") != std::string::npos);
}

TEST_CASE("what is no message of a node is cut off, and nothing happens") {
  TestNode leader(with_threads(2));
  CHECK(Client(leader).run("SET a 1") == "+OK\r\n");
  const int port = static_cast<int>(leader.state().node_port.load());
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(100, '\xff'), std::string(9, '\0')}) {
    Client stranger(port);
    stranger.send(bytes);
    CHECK(stranger.closed());
  }
  Client silent(port);
  CHECK(leader.state().replication.followers().empty());
  CHECK(leader.state().replication.log() == nullptr);
  CHECK(Client(leader).run("GET a") == "$1\r\n1\r\n");
}

TEST_CASE("a replica gets the same from compressed data, and INFO says what that saves") {
  TestNode leader(with_threads(2));
  TestNode follower(with_threads(2));
  Client client(leader);
  CHECK(client.run("CONFIG SET repl-compression yes") == "+OK\r\n");
  std::string wire;
  constexpr int kKeys = 5000;
  for (int key = 0; key < kKeys; ++key) {
    wire += magpie::testing::encode({"SET", "key:" + std::to_string(key), std::string(200, 'v')});
  }
  client.send(wire);
  for (int key = 0; key < kKeys; ++key) REQUIRE(client.reply() == "+OK\r\n");
  follow(follower, leader);
  check_same(leader, follower);
  const auto told = [&](const std::string& field) {
    const std::string info = client.run("INFO replication");
    const std::size_t at = info.find("," + field + "=");
    return at == std::string::npos ? 0 : std::stoll(info.substr(at + field.size() + 2));
  };
  const std::int64_t whole = told("compressed_from_bytes");
  CHECK(whole > 200 * kKeys);
  CHECK(told("compressed_to_bytes") < whole / 5);
  {
    const Load load(leader);
    REQUIRE(eventually([&] { return load.rounds() > 500; }));
  }
  check_same(leader, follower);
  CHECK(told("compressed_from_bytes") > whole);
  CHECK(client.run("CONFIG SET repl-compression auto") == "+OK\r\n");  // not on the way to the same machine
  const auto looked = [&] { return leader.state().replication.followers().front()->heard_ms.load(); };
  const std::int64_t before = looked();
  REQUIRE(eventually([&] { return looked() > before + 300; }));
  const std::int64_t compressed = told("compressed_from_bytes");
  CHECK(client.run("SET key " + std::string(10'000, 'v')) == "+OK\r\n");
  check_same(leader, follower);
  CHECK(told("compressed_from_bytes") == compressed);
}

TEST_CASE("a replica whose leader is gone answers with what it has, or not, as it was told") {
  TestNode follower(with_threads(2));
  Client client(follower);
  {
    TestNode leader(with_threads(2));
    CHECK(Client(leader).run("SET a 1") == "+OK\r\n");
    follow(follower, leader);
  }
  CHECK(eventually([&] { return !link_is_up(follower); }));
  CHECK(client.run("GET a") == "$1\r\n1\r\n");
  CHECK(client.run("CONFIG SET replica-serve-stale-data no") == "+OK\r\n");
  CHECK(client.run("GET a") == "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n");
  CHECK(client.run("PING") == "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n");
  CHECK(client.run("INFO replication").find("master_link_status:down") != std::string::npos);
}

TEST_CASE("a node may be told to follow itself, or one that follows it, and comes to no harm") {
  TestNode node(with_threads(2));
  TestNode other(with_threads(2));
  Client client(node);
  CHECK(client.run("SET a 1") == "+OK\r\n");
  CHECK(client.run(replicaof(node)) == "+OK\r\n");
  const auto reason = [&] { return node.state().replication.leader().reason(); };
  CHECK(eventually([&] { return reason().find("this node itself") != std::string::npos; }));
  CHECK(Client(other).run(replicaof(node)) == "+OK\r\n");
  CHECK(client.run(replicaof(other)) == "+OK\r\n");
  CHECK(client.run("GET a") == "$1\r\n1\r\n");
  CHECK(client.run("REPLICAOF NO ONE") == "+OK\r\n");
  CHECK(eventually([&] { return link_is_up(other); }));
  check_same(node, other);
}
