// The log of a running node.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/node/fixture.h"
#include "tests/replication/log_reader.h"

using magpie::testing::Client;
using magpie::testing::eventually;
using magpie::testing::TestNode;

TEST_CASE("the log can be turned on and off while several loops write, and has all from then on") {
  magpie::config::Settings settings;
  settings.threads = 4;
  TestNode node(settings);
  const auto log = [&] { return node.state().replication.log(); };
  Client client(node);
  constexpr int kWriters = 3;
  constexpr int kWrites = 300;
  std::atomic<int> failed = 0;
  std::vector<std::thread> writers;
  writers.reserve(kWriters);
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&node, &failed, writer] {
      Client own(node);
      for (int i = 0; i < kWrites; ++i) {
        const std::string key = std::to_string(writer) + ":" + std::to_string(i % 50);
        if (own.run("SET " + key + " " + std::to_string(i)) != "+OK\r\n") ++failed;
      }
    });
  }
  for (int round = 0; round < 5; ++round) {
    CHECK(client.run("CONFIG SET repl-backlog-always yes") == "+OK\r\n");
    CHECK(eventually([&] { return log() != nullptr; }));
    CHECK(client.run("CONFIG SET repl-backlog-always no") == "+OK\r\n");
    CHECK(eventually([&] { return log() == nullptr; }));
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(failed == 0);
  CHECK(client.run("FLUSHALL") == "+OK\r\n");
  CHECK(client.run("CONFIG SET repl-backlog-always yes") == "+OK\r\n");
  REQUIRE(eventually([&] { return log() != nullptr; }));
  CHECK(client.run("MSET a 1 b 2 c 3") == "+OK\r\n");
  const auto records = magpie::testing::read_log(*log(), log()->begin());
  REQUIRE(records.size() == 1);
  CHECK(magpie::testing::effects_of(records[0]) == 3);
}
