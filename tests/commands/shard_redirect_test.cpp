// Where a command runs on a node of a shard, what its reply waits for, and what it gets instead.
#include <doctest/doctest.h>

#include <string>

#include "tests/commands/shard_server.h"

using namespace magpie;
using namespace magpie::testing;

namespace {

const std::string kMoved = "-MOVED 12182 10.0.0.1:7101\r\n";

/// Node b, which led and whose lease is over.
void fence(ShardServer& shard) { shard.gate().publish(now_with(Lease::None, true)); }

}  // namespace

TEST_CASE("a follower sends clients to its leader, unless they want to read what it has") {
  ShardServer shard(three_nodes());
  CHECK(shard.run("SET foo 1") == kMoved);
  CHECK(shard.run("GET foo") == kMoved);
  CHECK(shard.run("PING") == "+PONG\r\n");
  CHECK(shard.run("DBSIZE") == ":0\r\n");
  CHECK(shard.run("FLUSHALL") == "-READONLY You can't write against a read only replica.\r\n");
  CHECK(shard.run("READONLY") == "+OK\r\n");
  CHECK(shard.run("GET foo") == "$-1\r\n");
  CHECK(shard.run("SET foo 1") == kMoved);
  CHECK(shard.run("READWRITE") == "+OK\r\n");
  CHECK(shard.run("GET foo") == kMoved);
}

TEST_CASE("a transaction is sent on as a whole") {
  ShardServer shard(three_nodes());
  CHECK(shard.run("MULTI") == "+OK\r\n");
  CHECK(shard.run("SET foo 1") == kMoved);
  CHECK(shard.run("EXEC").starts_with("-EXECABORT"));
  ShardServer leader(led_by_b());
  CHECK(leader.run("MULTI") == "+OK\r\n");
  CHECK(leader.run("SET foo 1") == "+QUEUED\r\n");
  leader.gate().publish(three_nodes());
  leader.gate().publish(now_with(Lease::Others, false));
  CHECK(leader.run("EXEC") == kMoved);
  CHECK(leader.run("EXEC") == "-ERR EXEC without MULTI\r\n");
}

TEST_CASE("where nobody may serve, commands wait half a second and are not executed") {
  ShardServer shard(led_by_b());
  CHECK(shard.run("SET foo 1") == "+OK\r\n");
  fence(shard);
  CHECK(shard.run("SET foo 2").empty());
  REQUIRE(shard.server.client().blocked.has_value());
  CHECK(shard.server.client().blocked->kind == server::Blocked::Kind::Lease);
  shard.server.client().blocked.reset();
  shard.server.advance(499);
  CHECK(shard.run("SET foo 2").empty());
  shard.server.client().blocked.reset();
  shard.server.advance(1);
  CHECK(shard.run("SET foo 2") == "-CLUSTERDOWN The cluster is down: no node of this shard may serve now\r\n");
  shard.gate().publish(now_with(Lease::Mine, true));
  CHECK(shard.run("GET foo") == "$1\r\n1\r\n");
}

TEST_CASE("somebody else who serves gets the commands that waited") {
  ShardServer shard(led_by_b());
  fence(shard);
  CHECK(shard.run("SET foo 2").empty());
  shard.server.client().blocked.reset();
  shard.gate().publish(three_nodes());
  shard.gate().publish(now_with(Lease::Others, false));
  CHECK(shard.run("SET foo 2") == kMoved);
}

TEST_CASE("in the mode isr too few in-sync replicas refuse writes and let reads through") {
  ShardServer shard(led_by_b());
  CHECK(shard.run("CLIENT DURABILITY ISR") == "+OK\r\n");
  CHECK(shard.run("SET foo 1") == "-NOREPLICAS Not enough in-sync replicas to write.\r\n");
  CHECK(shard.run("GET foo") == "$-1\r\n");
  CHECK(shard.run("CLIENT DURABILITY ASYNC") == "+OK\r\n");
  CHECK(shard.run("SET foo 1") == "+OK\r\n");
}

TEST_CASE("clients choose what their reads wait for") {
  ShardServer shard(led_by_b());
  CHECK(shard.run("CLIENT READS STRICT") == "+OK\r\n");
  CHECK(shard.run("CLIENT READS LOCAL") == "+OK\r\n");
  CHECK(shard.run("CLIENT READS DEFAULT") == "+OK\r\n");
  CHECK(shard.run("CLIENT READS SOMETIMES") == "-ERR syntax error\r\n");
  TestServer plain;
  CHECK(plain.run("CLIENT READS STRICT") == "-ERR STRICT needs the in-sync replicas of a shard\r\n");
  CHECK(plain.run("CLIENT READS LOCAL") == "+OK\r\n");
}

TEST_CASE("in a shard the arbiter decides who leads") {
  ShardServer shard(led_by_b());
  CHECK(shard.run("REPLICAOF 10.0.0.1 7101").starts_with("-ERR REPLICAOF is for plain nodes"));
  CHECK(shard.run("FAILOVER ABORT") == "-ERR FAILOVER in a shard takes no option but TO\r\n");
  CHECK(shard.run("FAILOVER TO 10.0.0.7 7101").starts_with("-ERR FAILOVER needs an in-sync replica"));
  CHECK(shard.run("FAILOVER TO 10.0.0.1 7101") == "+OK\r\n");
  ShardServer follower(three_nodes());
  CHECK(follower.run("FAILOVER") == "-ERR FAILOVER is not valid when server is a replica.\r\n");
}
