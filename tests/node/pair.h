#pragma once

#include <doctest/doctest.h>

#include <string>

#include "tests/node/fixture.h"

namespace magpie::testing {

inline config::Settings with_threads(int threads) {
  config::Settings settings;
  settings.threads = threads;
  settings.enable_debug_command = config::Permission::Yes;
  return settings;
}

inline std::string replicaof(const TestNode& node) { return "REPLICAOF 127.0.0.1 " + std::to_string(node.port()); }

inline bool link_is_up(TestNode& node) {
  return node.state().replication.leader().phase == server::LeaderStatus::Phase::Connected;
}

/// Returns once the follower has what the leader had.
inline void follow(TestNode& follower, const TestNode& leader) {
  CHECK(Client(follower).run(replicaof(leader)) == "+OK\r\n");
  REQUIRE(eventually([&] { return link_is_up(follower); }));
}

}  // namespace magpie::testing
