// The end of a node that has replicas.
#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "server/engine/keyspace.h"
#include "tests/node/pair.h"

using magpie::engine::kAllStripes;
using magpie::engine::Keyspace;
using magpie::testing::Client;
using magpie::testing::eventually;
using magpie::testing::follow;
using magpie::testing::TestNode;
using magpie::testing::with_threads;

namespace {

constexpr int kMomentMs = 100;

magpie::config::Settings patient(std::int64_t seconds) {
  magpie::config::Settings settings = with_threads(2);
  settings.shutdown_timeout = seconds;
  return settings;
}

/// A leader and a follower that can be kept from applying anything.
struct HeldPair {
  explicit HeldPair(std::int64_t seconds) : leader(patient(seconds)) { follow(follower, leader); }
  void hold() {
    guard.emplace(follower.state().keyspace.lock(kAllStripes));
    CHECK(Client(leader).run("SET held 1") == "+OK\r\n");
  }
  void let_go() { guard.reset(); }
  bool waits() { return leader.state().pause.active(magpie::server::wall_clock()); }

  TestNode leader;
  TestNode follower{with_threads(2)};
  std::optional<Keyspace::Guard> guard;
};

}  // namespace

TEST_CASE("a leader ends once its replicas have everything, and nothing is written meanwhile") {
  constexpr std::int64_t kLong = 1'000'000;
  HeldPair pair(kLong);
  pair.hold();
  Client stopping(pair.leader);
  stopping.send("SHUTDOWN\r\n");
  REQUIRE(eventually([&] { return pair.waits(); }));
  Client writer(pair.leader);
  writer.send("SET late 1\r\n");
  Client other(pair.leader);
  CHECK(other.run("GET held") == "$1\r\n1\r\n");
  CHECK(other.run("CLIENT UNPAUSE") == "+OK\r\n");
  CHECK(writer.silent(kMomentMs));
  CHECK(stopping.silent(kMomentMs));
  CHECK(other.run("GET late") == "$-1\r\n");
  pair.let_go();
  CHECK(stopping.closed());
  CHECK(writer.reply().empty());
  Client reader(pair.follower);
  CHECK(reader.run("GET held") == "$1\r\n1\r\n");
  CHECK(reader.run("GET late") == "$-1\r\n");
}

TEST_CASE("SHUTDOWN ABORT calls a shutdown off that waits for replicas") {
  constexpr std::int64_t kLong = 1'000'000;
  HeldPair pair(kLong);
  Client other(pair.leader);
  CHECK(other.run("SHUTDOWN ABORT") == "-ERR No shutdown in progress.\r\n");
  pair.hold();
  Client stopping(pair.leader);
  stopping.send("SHUTDOWN\r\nPING\r\n");
  REQUIRE(eventually([&] { return pair.waits(); }));
  Client writer(pair.leader);
  writer.send("SET late 1\r\n");
  CHECK(writer.silent(kMomentMs));
  CHECK(other.run("SHUTDOWN ABORT") == "+OK\r\n");
  CHECK(stopping.reply() == "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
  CHECK(stopping.reply() == "+PONG\r\n");
  CHECK(writer.reply() == "+OK\r\n");
  CHECK(other.run("SHUTDOWN ABORT") == "-ERR No shutdown in progress.\r\n");
  stopping.send("SHUTDOWN\r\n");
  REQUIRE(eventually([&] { return pair.waits(); }));
  Client(pair.leader).send("SHUTDOWN NOW\r\n");
  CHECK(stopping.closed());
}

TEST_CASE("a leader does not wait for replicas for longer than it is told") {
  for (const std::int64_t seconds : {0, 1}) {
    HeldPair pair(seconds);
    pair.hold();
    Client stopping(pair.leader);
    stopping.send("SHUTDOWN\r\n");
    CHECK(stopping.closed());
  }
}
