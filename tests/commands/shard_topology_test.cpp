// What a shard shows of its nodes: the replies are those of redis-server 7.0 in cluster mode with one master and two
// replicas, but for ids, times and the counters of its bus.
#include <doctest/doctest.h>

#include <string>

#include "server/state/wire_id.h"
#include "tests/commands/shard_server.h"

using magpie::testing::bulk;
using magpie::testing::kA;
using magpie::testing::kB;
using magpie::testing::kC;
using magpie::testing::Lease;
using magpie::testing::led_by_b;
using magpie::testing::now_with;
using magpie::testing::ShardGate;
using magpie::testing::ShardPicture;
using magpie::testing::ShardServer;
using magpie::testing::three_nodes;
using magpie::testing::verbatim;

namespace {

std::string in_slots(const std::string& host, int port, const std::string& id, const char* no_metadata = "*0\r\n") {
  return "*4\r\n" + bulk(host) + ":" + std::to_string(port) + "\r\n" + bulk(id) + no_metadata;
}

std::string in_shards(const std::string& map, const std::string& id, int number, const std::string& role,
                      std::uint64_t offset, const std::string& health) {
  const std::string host = bulk("10.0.0." + std::to_string(number));
  return map + bulk("id") + bulk(id) + bulk("port") + ":" + std::to_string(7100 + number) + "\r\n" + bulk("ip") + host +
         bulk("endpoint") + host + bulk("role") + bulk(role) + bulk("replication-offset") + ":" +
         std::to_string(offset) + "\r\n" + bulk("health") + bulk(health);
}

}  // namespace

TEST_CASE("a node's id on the wire is the same everywhere and for good") {
  CHECK(magpie::server::wire_id("c", "a") == kA);
  CHECK(magpie::server::wire_id("c", "b") == kB);
  CHECK(magpie::server::wire_id("c", "c") == kC);
  CHECK(magpie::server::wire_id("ca", "") != kA);
  CHECK(kA.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(kA.size() == 40);
}

TEST_CASE("CLUSTER SLOTS has the leader first, and the replicas that can be read from") {
  ShardPicture picture = led_by_b();
  ShardServer shard(picture);
  const std::string slots = ":0\r\n:16383\r\n";
  CHECK(shard.run("CLUSTER SLOTS") == "*1\r\n*5\r\n" + slots + in_slots("10.0.0.2", 7102, kB) +
                                          in_slots("10.0.0.1", 7101, kA) + in_slots("10.0.0.3", 7103, kC));
  picture.nodes[0].in_isr = false;
  picture.nodes[2].alive = false;
  shard.gate().publish(picture);
  CHECK(shard.run("CLUSTER SLOTS") == "*1\r\n*3\r\n" + slots + in_slots("10.0.0.2", 7102, kB));
  shard.run("HELLO 3");
  CHECK(shard.run("CLUSTER SLOTS") == "*1\r\n*3\r\n" + slots + in_slots("10.0.0.2", 7102, kB, "%0\r\n"));
}

TEST_CASE("CLUSTER SLOTS shows a leader that is gone until another one is known, and nothing without any") {
  ShardPicture picture = three_nodes();
  picture.nodes[0].alive = false;
  picture.nodes[2].host.clear();
  ShardServer shard(picture);
  CHECK(shard.run("CLUSTER SLOTS") ==
        "*1\r\n*4\r\n:0\r\n:16383\r\n" + in_slots("10.0.0.1", 7101, kA) + in_slots("10.0.0.2", 7102, kB));
  picture.nodes[0].host.clear();
  shard.gate().publish(picture);
  CHECK(shard.run("CLUSTER SLOTS") == "*0\r\n");
  picture = three_nodes();
  picture.nodes[0].leads = false;
  shard.gate().publish(picture);
  CHECK(shard.run("CLUSTER SLOTS") == "*0\r\n");
  shard.gate().publish(ShardPicture{});
  CHECK(shard.run("CLUSTER SLOTS") == "*0\r\n");
}

TEST_CASE("CLUSTER SHARDS tells of each node with an address how it is") {
  ShardPicture picture = led_by_b();
  picture.nodes[0].confirmed = 4711;
  picture.nodes[2].alive = false;
  ShardServer shard(picture);
  const auto expected = [](const std::string& outer, const std::string& map) {
    return "*1\r\n" + outer + bulk("slots") + "*2\r\n:0\r\n:16383\r\n" + bulk("nodes") + "*3\r\n" +
           in_shards(map, kB, 2, "master", 1, "online") + in_shards(map, kA, 1, "replica", 4711, "online") +
           in_shards(map, kC, 3, "replica", 0, "fail");
  };
  CHECK(shard.run("CLUSTER SHARDS") == expected("*4\r\n", "*14\r\n"));
  shard.run("HELLO 3");
  CHECK(shard.run("CLUSTER SHARDS") == expected("%2\r\n", "%7\r\n"));
  picture.nodes[0].in_isr = false;
  picture.nodes[1].host.clear();
  picture.nodes[2].host.clear();
  shard.gate().publish(picture);
  CHECK(shard.run("CLUSTER SHARDS") == "*1\r\n%2\r\n" + bulk("slots") + "*2\r\n:0\r\n:16383\r\n" + bulk("nodes") +
                                           "*1\r\n" + in_shards("%7\r\n", kA, 1, "replica", 4711, "loading"));
}

TEST_CASE("CLUSTER SHARDS tells how far this node's own log is") {
  ShardServer shard(led_by_b());
  shard.server.state().replication.configure({.always = true, .log_capacity = 1 << 20});
  shard.run("SET key value");
  const std::uint64_t end = shard.server.state().replication.log_end().bytes;
  CHECK(end > 0);
  CHECK(shard.run("CLUSTER SHARDS").find(in_shards("*14\r\n", kB, 2, "master", end, "online")) != std::string::npos);
}

TEST_CASE("CLUSTER NODES has a line for every node") {
  ShardPicture picture = three_nodes();
  picture.nodes[2].alive = false;
  picture.nodes[2].host.clear();
  picture.nodes[2].port = picture.nodes[2].node_port = 0;
  ShardServer shard(picture);
  const std::string now = std::to_string(shard.server.now().ms);
  const std::string text = kA + " 10.0.0.1:7101@17101 master - 0 " + now + " 30064771077 connected 0-16383\n" + kB +
                           " 10.0.0.2:7102@17102 myself,slave " + kA + " 0 " + now + " 30064771077 connected\n" + kC +
                           " :0@0 slave,fail,noaddr " + kA + " 0 0 30064771077 disconnected\n";
  CHECK(shard.run("CLUSTER NODES") == bulk(text));
  shard.run("HELLO 3");
  CHECK(shard.run("CLUSTER NODES") == verbatim(text));
}

TEST_CASE("CLUSTER NODES shows a leader that is gone, and followers of nobody") {
  ShardPicture picture = three_nodes();
  picture.nodes[0].alive = false;
  ShardServer shard(picture);
  CHECK(shard.run("CLUSTER NODES").find(" 10.0.0.1:7101@17101 master,fail - 0 0 30064771077 disconnected 0-16383\n") !=
        std::string::npos);
  picture.nodes[0].leads = false;
  shard.gate().publish(picture);
  const std::string reply = shard.run("CLUSTER NODES");
  CHECK(reply.find(" 10.0.0.1:7101@17101 slave,fail - 0 0 30064771077 disconnected\n") != std::string::npos);
  CHECK(reply.find(" myself,slave - 0 ") != std::string::npos);
}

TEST_CASE("CLUSTER REPLICAS has the lines of those that follow") {
  ShardServer shard(three_nodes());
  const std::string now = std::to_string(shard.server.now().ms);
  const std::string expected =
      "*2\r\n" + bulk(kB + " 10.0.0.2:7102@17102 myself,slave " + kA + " 0 " + now + " 30064771077 connected") +
      bulk(kC + " 10.0.0.3:7103@17103 slave " + kA + " 0 " + now + " 30064771077 connected");
  CHECK(shard.run("CLUSTER REPLICAS " + kA) == expected);
  CHECK(shard.run("CLUSTER SLAVES " + kA) == expected);
  CHECK(shard.run("CLUSTER REPLICAS " + kB) == "-ERR The specified node is not a master\r\n");
  CHECK(shard.run("CLUSTER REPLICAS x") == "-ERR Unknown node x\r\n");
  CHECK(shard.run("CLUSTER COUNT-FAILURE-REPORTS " + kB) == ":0\r\n");
  CHECK(shard.run("CLUSTER COUNT-FAILURE-REPORTS x") == "-ERR Unknown node x\r\n");
}

TEST_CASE("CLUSTER LINKS has the nodes that this one is linked to") {
  ShardPicture picture = three_nodes();
  picture.nodes[0].alive = false;
  ShardServer shard(picture);
  const std::string link = bulk("direction") + bulk("to") + bulk("node") + bulk(kC) + bulk("create-time") + ":0\r\n" +
                           bulk("events") + bulk("r") + bulk("send-buffer-allocated") + ":0\r\n" +
                           bulk("send-buffer-used") + ":0\r\n";
  CHECK(shard.run("CLUSTER LINKS") == "*1\r\n*12\r\n" + link);
  shard.run("HELLO 3");
  CHECK(shard.run("CLUSTER LINKS") == "*1\r\n%6\r\n" + link);
}

TEST_CASE("CLUSTER INFO is ok while somebody serves") {
  ShardServer shard(three_nodes());
  const auto expected = [](const std::string& state, const std::string& ok, const std::string& fail) {
    return "cluster_state:" + state + "\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:" + ok +
           "\r\ncluster_slots_pfail:0\r\ncluster_slots_fail:" + fail +
           "\r\ncluster_known_nodes:3\r\ncluster_size:1\r\ncluster_current_epoch:30064771077\r\n"
           "cluster_my_epoch:30064771077\r\ncluster_stats_messages_sent:0\r\n"
           "cluster_stats_messages_received:0\r\ntotal_cluster_links_buffer_limit_exceeded:0\r\n";
  };
  CHECK(shard.run("CLUSTER INFO") == bulk(expected("ok", "16384", "0")));
  shard.gate().publish(ShardGate::Now{});
  CHECK(shard.run("CLUSTER INFO") == bulk(expected("fail", "0", "16384")));
  shard.gate().publish(now_with(Lease::Mine, true));
  CHECK(shard.run("CLUSTER INFO") == bulk(expected("ok", "16384", "0")));
  shard.gate().publish(now_with(Lease::Others, true));  // its lease is over, whatever it heard before
  CHECK(shard.run("CLUSTER INFO") == bulk(expected("fail", "0", "16384")));
  shard.run("HELLO 3");
  CHECK(shard.run("CLUSTER INFO") == verbatim(expected("fail", "0", "16384")));
}

TEST_CASE("CLUSTER MYID is this node's, once it is known") {
  ShardServer shard(three_nodes());
  CHECK(shard.run("CLUSTER MYID") == bulk(kB));
  shard.gate().publish(ShardPicture{});
  CHECK(shard.run("CLUSTER MYID") == "-ERR This node does not know its name in the shard yet\r\n");
  CHECK(shard.run("CLUSTER NODES") == "$0\r\n\r\n");
}
