// What several connections send in one turn of their loop is executed together (server/read_batch.h).

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>

#include "server/engine/key.h"
#include "server/file_limit.h"
#include "server/state/clock.h"
#include "tests/node/fixture.h"

using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::server::ClientId;
using magpie::server::LoopIndex;
using magpie::testing::bulk;
using magpie::testing::Client;
using magpie::testing::connect;
using magpie::testing::encode;
using magpie::testing::eventually;
using magpie::testing::id_of;
using magpie::testing::TestNode;

namespace {

constexpr std::size_t kMany = 40;  // more than two batches

magpie::config::Settings two_loops() {
  magpie::config::Settings settings;
  settings.threads = 2;  // with one loop there is no lock to hold it with
  return settings;
}

/// A node and clients of one of its loops, which can be held up: it then finds all that they sent meanwhile at once.
class OneLoop {
 public:
  explicit OneLoop(std::size_t count, magpie::config::Settings settings = two_loops()) : node_(std::move(settings)) {
    node_.state().keyspace.set_active_expiry(false);  // it would wait for the lock as well
    std::vector<Client> all = connect(node_, 2 * (count + 1));
    for (Client& client : all) {
      const auto state = node_.state().clients.find(ClientId{std::stoull(id_of(client))});
      if (state->loop == LoopIndex{0}) clients_.push_back(std::move(client));
    }
    REQUIRE(clients_.size() == count + 1);
    holder_ = std::make_unique<Client>(std::move(clients_.back()));
    clients_.pop_back();
    all.clear();
    REQUIRE(eventually([&] { return node_.state().clients.size() == count + 1; }));
  }

  TestNode& node() { return node_; }
  std::vector<Client>& clients() { return clients_; }
  Keyspace::Guard lock(std::string_view key) { return node_.state().keyspace.lock(mask_of(Key::of(key).stripe)); }
  std::uint64_t reads() { return node_.state().loops[0]->total_reads_processed; }
  void wait_for_reads(std::uint64_t count) {
    REQUIRE(eventually([&] { return reads() >= count; }));
  }

  /// What `send` sends is there when the loop looks next.
  template <class Send>
  void in_one_turn(Send send) {
    {
      const Keyspace::Guard guard = lock("held");
      const std::uint64_t before = reads();
      holder_->send("GET held\r\n");
      wait_for_reads(before + 1);
      send();
    }
    REQUIRE(holder_->reply() == "$-1\r\n");
  }

 private:
  TestNode node_;
  std::vector<Client> clients_;
  std::unique_ptr<Client> holder_;
};

}  // namespace

TEST_CASE("each of many connections gets its own replies") {
  OneLoop loop(kMany);
  std::vector<Client>& clients = loop.clients();
  loop.in_one_turn([&] {
    for (std::size_t i = 0; i < kMany; ++i) {
      const std::string number = std::to_string(i);
      clients[i].send(encode({"INCR", "shared"}) + encode({"SELECT", std::to_string(i % 16)}) +
                      encode({"SET", "own:" + number, number}) + encode({"ECHO", number}));
    }
  });
  std::vector<std::string> counted;
  for (std::size_t i = 0; i < kMany; ++i) {
    counted.push_back(clients[i].reply());
    REQUIRE(clients[i].reply() == "+OK\r\n");
    REQUIRE(clients[i].reply() == "+OK\r\n");
    REQUIRE(clients[i].reply() == bulk(std::to_string(i)));
  }
  std::ranges::sort(counted);
  CHECK(std::ranges::adjacent_find(counted) == counted.end());
  loop.in_one_turn([&] {
    for (std::size_t i = 0; i < kMany; ++i) clients[i].send("GET own:" + std::to_string(i) + "\r\n");
  });
  for (std::size_t i = 0; i < kMany; ++i) REQUIRE(clients[i].reply() == bulk(std::to_string(i)));
  CHECK(Client(loop.node()).run("GET shared") == bulk(std::to_string(kMany)));
}

TEST_CASE("a client can be killed by another one of the same turn") {
  OneLoop loop(kMany);
  std::vector<Client>& clients = loop.clients();
  Client& before = clients[3];
  Client& after = clients[5];
  const std::string ids = id_of(before) + "\r\nCLIENT KILL ID " + id_of(after) + "\r\n";
  loop.in_one_turn([&] {
    for (std::size_t i = 0; i < kMany; ++i) {
      clients[i].send(i == 4 ? "CLIENT KILL ID " + ids : "INCR n\r\n" + std::string(i == 3 || i == 5 ? "INCR " : ""));
    }
  });
  CHECK(clients[4].reply() == ":1\r\n");
  CHECK(clients[4].reply() == ":1\r\n");
  CHECK(before.closed());
  CHECK(after.closed());
  for (std::size_t i = 6; i < kMany; ++i) CHECK(clients[i].reply().starts_with(":"));
  CHECK(eventually([&] { return loop.node().state().clients.size() == kMany - 1; }));
}

TEST_CASE("the ends of gathered connections come after their commands") {
  OneLoop loop(kMany);
  std::vector<Client>& clients = loop.clients();
  const std::string bad = encode({"INCR", "n"}) + "*1\r\n$x\r\n";
  loop.in_one_turn([&] {
    for (std::size_t i = 0; i < kMany; ++i) {
      if (i % 4 == 3) {
        clients[i].send(bad);
        continue;
      }
      clients[i].send("INCR n\r\n" + std::string(i % 4 == 1 ? "QUIT\r\nINCR n\r\n" : ""));
      if (i % 4 == 2) clients[i].shut_down_writing();
    }
  });
  for (std::size_t i = 0; i < kMany; ++i) {
    CHECK(clients[i].reply().starts_with(":"));
    if (i % 4 == 1) CHECK(clients[i].reply() == "+OK\r\n");
    if (i % 4 == 3) CHECK(clients[i].reply().starts_with("-ERR Protocol error"));
    if (i % 4 != 0) CHECK(clients[i].reply() == "");
  }
  CHECK(clients[0].run("GET n") == bulk(std::to_string(kMany)));
  CHECK(clients[0].run("DBSIZE") == ":1\r\n");
}

TEST_CASE("gathered commands that are not complete are completed later") {
  OneLoop loop(kMany);
  std::vector<Client>& clients = loop.clients();
  const std::string whole = encode({"INCR", "n"}) + encode({"ECHO", "some words"});
  // Each client's bytes end at another place, three of them at the end of a command.
  const auto first = [&](std::size_t i) { return whole.substr(0, 1 + i * whole.size() / kMany); };
  loop.in_one_turn([&] {
    for (std::size_t i = 0; i < kMany; ++i) clients[i].send(first(i));
  });
  loop.in_one_turn([&] {
    for (std::size_t i = 0; i < kMany; ++i) clients[i].send(whole.substr(first(i).size()) + "PING\r\n");
  });
  for (Client& client : clients) {
    REQUIRE(client.reply().starts_with(":"));
    REQUIRE(client.reply() == bulk("some words"));
    REQUIRE(client.reply() == "+PONG\r\n");
  }
  CHECK(clients[0].run("GET n") == bulk(std::to_string(kMany)));
}

TEST_CASE("a pause and a password that begin within a turn") {
  OneLoop loop(kMany);
  std::vector<Client>& clients = loop.clients();
  const auto after_first = [&](std::string_view command) {
    loop.in_one_turn([&] {
      clients[0].send(command);
      for (std::size_t i = 1; i < kMany; ++i) clients[i].send("INCR n\r\nECHO x\r\n");
    });
    CHECK(clients[0].reply() == "+OK\r\n");
  };
  after_first("CLIENT PAUSE 60000 WRITE\r\n");
  CHECK(clients[0].run("EXISTS n") == ":0\r\n");
  CHECK(clients[0].run("CLIENT UNPAUSE") == "+OK\r\n");
  after_first("CONFIG SET requirepass secret\r\n");  // for clients to come
  for (std::size_t i = 1; i < kMany; ++i) {
    for (int turn = 0; turn < 2; ++turn) {
      REQUIRE(clients[i].reply().starts_with(":"));
      REQUIRE(clients[i].reply() == bulk("x"));
    }
  }
  CHECK(clients[0].run("GET n") == bulk(std::to_string(2 * (kMany - 1))));
}

// libuv polls again within a turn when it got as many events as fit into its array, and then reports a connection anew
// whose earlier bytes are still gathered.
TEST_CASE("a connection that is read twice in one turn loses nothing") {
  constexpr std::size_t kEvents = 1024;
  constexpr std::size_t kTwice = kEvents - magpie::server::Dispatcher::kHeads;  // first of the last, unfinished batch
  constexpr std::size_t kStops = kTwice + 1;
  constexpr std::int64_t kConnections = 2 * (kEvents + 1);  // a new one goes to the other loop every second time
  if (magpie::server::make_room_for_clients(2 * kConnections, 2) < 2 * kConnections) {
    MESSAGE("skipped: both ends of ", kConnections, " connections do not fit into the hard limit of open files");
    return;
  }
  OneLoop loop(kEvents);
  std::vector<Client>& clients = loop.clients();
  Client& twice = clients[kTwice];
  const auto in_two_reads = [&](std::string_view first, const auto& more) {
    const std::string get = encode({"GET", "stop"});
    REQUIRE(Key::of("stop").stripe != Key::of("held").stripe);
    const std::uint64_t start = loop.reads();
    clients[kStops].send(get.substr(0, 1));  // what follows is read to a buffer of its own, so it is not gathered
    loop.wait_for_reads(start + 1);
    Keyspace::Guard stop;
    loop.in_one_turn([&] {
      for (std::size_t i = 0; i < kEvents; ++i) {
        clients[i].send(i == kStops ? get.substr(1) : i == kTwice ? first : "ECHO x\r\n");
      }
      stop = loop.lock("stop");
    });
    loop.wait_for_reads(start + 2 + kStops + 1);  // and now it waits for "stop"
    more();
    {
      const Keyspace::Guard released = std::move(stop);
    }
    for (std::size_t i = 0; i < kEvents; ++i) {
      if (i != kTwice) REQUIRE(clients[i].reply() == (i == kStops ? "$-1\r\n" : bulk("x")));
    }
  };
  in_two_reads("ECHO first\r\nECHO", [&] { twice.send(" second\r\nECHO"); });
  CHECK(twice.reply() == bulk("first"));
  CHECK(twice.reply() == bulk("second"));
  CHECK(twice.run(" third") == bulk("third"));
  // More replies than the kernel takes: the rest of the commands is executed when the client has read them.
  const std::string large(100'000, 'x');
  clients[0].send(encode({"SET", "large", large}));
  REQUIRE(clients[0].reply() == "+OK\r\n");
  constexpr int kGets = 100;
  std::string gets;
  for (int i = 0; i < kGets; ++i) gets += "GET large\r\n";
  in_two_reads(gets, [&] { twice.send(gets); });
  for (int i = 0; i < 2 * kGets; ++i) REQUIRE(twice.reply() == bulk(large));
  in_two_reads(gets, [&] { twice.shut_down_writing(); });
  for (int i = 0; i < kGets; ++i) REQUIRE(twice.reply() == bulk(large));
  CHECK(twice.closed());
}

TEST_CASE("no command of a turn runs at a time before one that ran ahead of it") {
  magpie::config::Settings settings = two_loops();
  settings.enable_debug_command = magpie::config::Permission::Yes;
  OneLoop loop(3, std::move(settings));
  std::vector<Client>& clients = loop.clients();
  const std::int64_t before = magpie::server::wall_clock().ms;
  loop.in_one_turn([&] {
    clients[0].send("DEBUG SLEEP 0.1\r\n");
    clients[1].send("GET another\r\n");
    clients[2].send("SET k v PX 60000\r\nPEXPIRETIME k\r\n");
  });
  CHECK(clients[0].reply() == "+OK\r\n");
  CHECK(clients[1].reply() == "$-1\r\n");
  CHECK(clients[2].reply() == "+OK\r\n");
  CHECK(std::stoll(clients[2].reply().substr(1)) >= before + 100 + 60'000);
}
