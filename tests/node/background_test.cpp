// Background work of the loops: it ends when there is nothing left to do.

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "tests/node/fixture.h"

using magpie::server::totals_of;
using magpie::testing::Client;
using magpie::testing::eventually;
using magpie::testing::kSanitized;
using magpie::testing::TestNode;

TEST_CASE("a node at rest rests, however many databases it has to look at") {
  constexpr int kDatabases = kSanitized ? 16 : 64;
  constexpr int kKeys = 300;  // in almost all stripes
  magpie::config::Settings settings;
  settings.databases = kDatabases;
  settings.threads = 2;
  TestNode node(settings);
  Client client(node);
  std::string set = "MSET";
  for (int key = 0; key < kKeys; ++key) set += " " + std::to_string(key) + " v";
  for (int db = 0; db < kDatabases; ++db) {
    REQUIRE(client.run("SELECT " + std::to_string(db)) == "+OK\r\n");
    REQUIRE(client.run(set) == "+OK\r\n");
  }
  const auto slices = [&] { return totals_of(node.state().background_slices).count(); };
  const std::uint64_t before = slices();
  REQUIRE(eventually([&] { return slices() >= before + 4; }));  // both loops have begun to look
  // A slice takes less than a tenth of the time between two looks.
  std::uint64_t last = 0;
  CHECK(eventually([&] {
    const std::uint64_t now = slices();
    return now == std::exchange(last, now);
  }));
}
