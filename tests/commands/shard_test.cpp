// What else is different for clients of a node of a shard: keys of slots, refusals, databases, INFO.
#include <doctest/doctest.h>

#include <string>

#include "tests/commands/shard_server.h"

using magpie::testing::bulk;
using magpie::testing::kC;
using magpie::testing::Lease;
using magpie::testing::led_by_b;
using magpie::testing::now_with;
using magpie::testing::ShardGate;
using magpie::testing::ShardPicture;
using magpie::testing::ShardServer;
using magpie::testing::TestServer;
using magpie::testing::three_nodes;

TEST_CASE("the keys of a slot are counted and listed, and stay as they are") {
  ShardServer shard(led_by_b());
  CHECK(shard.run("CLUSTER KEYSLOT foo") == ":12182\r\n");
  CHECK(shard.run("CLUSTER KEYSLOT {foo}bar") == ":12182\r\n");
  CHECK(shard.run("CLUSTER COUNTKEYSINSLOT 12182") == ":0\r\n");
  CHECK(shard.run("CLUSTER GETKEYSINSLOT 12182 10") == "*0\r\n");
  constexpr int kKeys = 3000;  // more than the parts of the stripe that are looked at under one lock
  for (int i = 0; i < kKeys; ++i) {
    shard.run("SET {foo}" + std::to_string(i) + " v");
    shard.run("SET other" + std::to_string(i) + " v");
  }
  shard.run("SET {foo}short v PX 5");
  shard.run("SET {" + std::string("b}neighbour") + " v");
  shard.server.advance(10'000);
  const auto digest = shard.server.keyspace().digest();
  CHECK(shard.run("CLUSTER COUNTKEYSINSLOT 12182") == ":3000\r\n");
  CHECK(shard.run("CLUSTER GETKEYSINSLOT 12182 10").starts_with("*10\r\n$"));
  CHECK(shard.run("CLUSTER GETKEYSINSLOT 12182 99999999999").starts_with("*3000\r\n$"));
  CHECK(shard.run("CLUSTER GETKEYSINSLOT 12182 0") == "*0\r\n");
  CHECK(shard.server.keyspace().digest() == digest);
  CHECK(shard.run("OBJECT IDLETIME {foo}1") != ":0\r\n");
  shard.run("MULTI");
  shard.run("CLUSTER COUNTKEYSINSLOT 12182");
  shard.run("CLUSTER GETKEYSINSLOT 3300 10");
  CHECK(shard.run("EXEC") == "*2\r\n:3000\r\n*1\r\n" + bulk("{b}neighbour"));
}

TEST_CASE("slots that do not exist are refused as in Redis") {
  ShardServer shard(three_nodes());
  const std::string no_integer = "-ERR value is not an integer or out of range\r\n";
  CHECK(shard.run("CLUSTER COUNTKEYSINSLOT 16384") == "-ERR Invalid slot\r\n");
  CHECK(shard.run("CLUSTER COUNTKEYSINSLOT -1") == "-ERR Invalid slot\r\n");
  CHECK(shard.run("CLUSTER COUNTKEYSINSLOT x") == no_integer);
  CHECK(shard.run("CLUSTER GETKEYSINSLOT 16384 1") == "-ERR Invalid slot or number of keys\r\n");
  CHECK(shard.run("CLUSTER GETKEYSINSLOT 1 -1") == "-ERR Invalid slot or number of keys\r\n");
  CHECK(shard.run("CLUSTER GETKEYSINSLOT 16384 x") == no_integer);
  CHECK(shard.run("CLUSTER GETKEYSINSLOT x 1") == no_integer);
}

TEST_CASE("what would change a shard is refused with the reason") {
  ShardServer shard(three_nodes());
  const auto refused = [&](const std::string& words, const std::string& name, const std::string& reason) {
    CAPTURE(words);
    CHECK(shard.run("CLUSTER " + words) == "-ERR CLUSTER " + name + " does not exist here: " + reason + "\r\n");
  };
  const std::string members = "the members of this shard are those of the option shard-nodes";
  refused("MEET 10.0.0.9 7000", "MEET", members);
  refused("FORGET " + kC, "FORGET", members);
  refused("RESET", "RESET", members);
  const std::string slots = "this shard has all slots";
  refused("ADDSLOTS 1", "ADDSLOTS", slots);
  refused("ADDSLOTSRANGE 1 2", "ADDSLOTSRANGE", slots);
  refused("DELSLOTS 1", "DELSLOTS", slots);
  refused("DELSLOTSRANGE 1 2", "DELSLOTSRANGE", slots);
  refused("FLUSHSLOTS", "FLUSHSLOTS", slots);
  refused("SETSLOT 1 STABLE", "SETSLOT", slots);
  const std::string leader = "the members of this shard and its arbiter decide who leads";
  refused("REPLICATE " + kC, "REPLICATE", leader);
  refused("failover force", "FAILOVER", leader);
  const std::string epoch = "the epoch is the term of this shard, which its arbiter counts";
  refused("BUMPEPOCH", "BUMPEPOCH", epoch);
  refused("SET-CONFIG-EPOCH 3", "SET-CONFIG-EPOCH", epoch);
  CHECK(shard.run("CLUSTER SAVECONFIG") == "+OK\r\n");
  CHECK(shard.run("CLUSTER SLOT-STATS") == "-ERR unknown subcommand 'SLOT-STATS'. Try CLUSTER HELP.\r\n");
  CHECK(shard.run("CLUSTER HELP").starts_with("*31\r\n+CLUSTER <subcommand> [<arg> [value] [opt] ...]."));
}

TEST_CASE("READONLY stays until READWRITE or RESET") {
  ShardServer shard(three_nodes());
  CHECK(shard.run("ASKING") == "+OK\r\n");
  CHECK(shard.run("READONLY") == "+OK\r\n");
  CHECK(shard.server.client().readonly);
  CHECK(shard.run("CLIENT INFO").find(" flags=r ") != std::string::npos);
  CHECK(shard.run("READWRITE") == "+OK\r\n");
  CHECK(!shard.server.client().readonly);
  CHECK(shard.run("CLIENT INFO").find(" flags=N ") != std::string::npos);
  shard.run("READONLY");
  CHECK(shard.run("RESET") == "+RESET\r\n");
  CHECK(!shard.server.client().readonly);
}

TEST_CASE("a shard has one database") {
  ShardServer shard(led_by_b());
  const std::string select = "-ERR SELECT is not allowed in cluster mode\r\n";
  CHECK(shard.run("SELECT 0") == "+OK\r\n");
  CHECK(shard.run("SELECT 1") == select);
  CHECK(shard.run("SELECT 16") == select);
  CHECK(shard.run("SELECT -1") == select);
  CHECK(shard.run("SELECT x") == "-ERR value is not an integer or out of range\r\n");
  CHECK(shard.run("SELECT 99999999999") ==
        "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n");
  CHECK(shard.run("MOVE a 0") == "-ERR MOVE is not allowed in cluster mode\r\n");
  CHECK(shard.run("MOVE a x") == "-ERR MOVE is not allowed in cluster mode\r\n");
  CHECK(shard.run("SWAPDB 0 0") == "-ERR SWAPDB is not allowed in cluster mode\r\n");
  CHECK(shard.run("SWAPDB x 1") == "-ERR SWAPDB is not allowed in cluster mode\r\n");
  const std::string copy = "-ERR Copying to another database is not allowed in cluster mode\r\n";
  CHECK(shard.run("COPY a b DB 3") == copy);
  CHECK(shard.run("COPY a a DB 1") == copy);
  CHECK(shard.run("COPY a a DB 0") == "-ERR source and destination objects are the same\r\n");
  CHECK(shard.run("COPY a b DB 99") == "-ERR DB index is out of range\r\n");
  CHECK(shard.run("COPY a b DB 1 junk") == "-ERR syntax error\r\n");
  CHECK(shard.run("COPY a b DB 0") == ":0\r\n");
}

TEST_CASE("HELLO, ROLE and INFO tell of the shard") {
  ShardServer shard(three_nodes());
  const auto has = [&](const std::string& words, const std::string& what) {
    return shard.run(words).find(what) != std::string::npos;
  };
  CHECK(has("HELLO", bulk("mode") + bulk("cluster") + bulk("role") + bulk("replica")));
  CHECK(has("INFO server", "\r\nredis_mode:cluster\r\n"));
  CHECK(shard.run("INFO cluster") == bulk("# Cluster\r\ncluster_enabled:1\r\n"));
  CHECK(has("INFO replication", "role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:7101\r\n"));
  CHECK(shard.run("ROLE").starts_with("*5\r\n" + bulk("slave") + bulk("10.0.0.1") + ":7101\r\n"));
  CHECK(has("INFO replication",
            "shard_role:follower\r\nshard_term:30064771077\r\nshard_leader:a\r\nshard_serving:0\r\nshard_isr:a,b,c\r\n"
            "shard_commit:0\r\nshard_loss_epoch:0\r\n\r\n"));
  ShardPicture picture = led_by_b();
  picture.loss_epoch = 2;
  picture.nodes[0].in_isr = false;
  shard.gate().publish(picture);
  ShardGate::Now now = now_with(Lease::Mine, true);
  now.commit = {77};
  shard.gate().publish(now);
  CHECK(has("HELLO", bulk("role") + bulk("master")));
  CHECK(has("INFO replication", "\r\nrole:master\r\n"));
  CHECK(shard.run("ROLE").starts_with("*3\r\n" + bulk("master")));
  CHECK(has("INFO replication",
            "shard_role:leader\r\nshard_term:30064771077\r\nshard_leader:b\r\nshard_serving:1\r\nshard_isr:b,c\r\n"
            "shard_commit:77\r\nshard_loss_epoch:2\r\n\r\n"));
}

TEST_CASE("a node that knows of no leader is no master") {
  ShardPicture picture = three_nodes();
  picture.nodes[0].leads = false;
  picture.role = ShardPicture::Role::Candidate;
  ShardServer shard(picture);
  shard.gate().publish(ShardGate::Now{});
  const std::string reply = shard.run("INFO replication");
  CHECK(reply.find("role:slave\r\nmaster_host:\r\nmaster_port:0\r\nmaster_link_status:down\r\n") != std::string::npos);
  CHECK(reply.find("shard_role:candidate\r\n") != std::string::npos);
  CHECK(reply.find("shard_leader:\r\n") != std::string::npos);
}

TEST_CASE("a node outside a shard is in no cluster") {
  TestServer server;
  for (const char* words : {"CLUSTER SLOTS", "CLUSTER MYID", "CLUSTER MEET 10.0.0.9 7000", "READWRITE", "ASKING"}) {
    CAPTURE(words);
    CHECK(server.run(words) == "-ERR This instance has cluster support disabled\r\n");
  }
  CHECK(server.run("INFO replication").find("shard_") == std::string::npos);
  CHECK(server.run("HELLO").find(bulk("standalone") + bulk("role") + bulk("master")) != std::string::npos);
}
