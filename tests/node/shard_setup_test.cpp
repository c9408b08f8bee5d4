#include "server/shard/shard_setup.h"

#include <doctest/doctest.h>

#include "server/shard/peer_words.h"

using namespace magpie;
using namespace magpie::server;

namespace {

config::Settings in_a_shard() {
  config::Settings settings;
  settings.port = 7001;
  settings.cluster = "c";
  settings.arbiter = "10.0.0.9:7100";
  settings.advertise = "10.0.0.1";
  settings.shard_nodes = "10.0.0.1:7001 10.0.0.2:7001  10.0.0.3:7001";
  return settings;
}

std::string refusal_of(const config::Settings& settings) {
  const auto setup = read_shard_setup(settings);
  return setup ? std::string() : setup.error();
}

}  // namespace

TEST_CASE("shard: a node is known by the address under which others find it, or by its name") {
  config::Settings settings = in_a_shard();
  auto setup = read_shard_setup(settings);
  REQUIRE(setup.has_value());
  CHECK(setup->replica.self.node.text == "10.0.0.1:7001");
  CHECK(setup->replica.nodes.size() == 3);
  CHECK(setup->replica.prefix == "/magpie/c/");
  CHECK(setup->arbiter == ShardSetup::Address{"10.0.0.9", 7100});
  CHECK(setup->client_port == 7001);
  settings.node_id = "b";
  settings.shard_nodes = "a b c";
  settings.advertise = "[fd00::1]:80";
  setup = read_shard_setup(settings);
  REQUIRE(setup.has_value());
  CHECK(setup->replica.self.node.text == "b");
  CHECK(setup->host == "fd00::1");
  CHECK(setup->client_port == 80);
}

TEST_CASE("shard: options that do not fit together are refused with what is missing") {
  const auto with = [](auto change) {
    config::Settings settings = in_a_shard();
    change(settings);
    return refusal_of(settings);
  };
  CHECK(with([](auto&) {}).empty());
  CHECK(with([](auto& one) { one.cluster.clear(); }).find("'cluster'") != std::string::npos);
  CHECK(with([](auto& one) { one.arbiter = "host"; }).find("'arbiter'") != std::string::npos);
  CHECK(with([](auto& one) { one.arbiter = "host:0"; }).find("'arbiter'") != std::string::npos);
  CHECK(with([](auto& one) { one.advertise.clear(); }).find("'advertise'") != std::string::npos);
  CHECK(with([](auto& one) { one.node_id = "d"; }).find("which is 'd'") != std::string::npos);
  CHECK(with([](auto& one) { one.shard_nodes += " 10.0.0.2:7001"; }).find("twice") != std::string::npos);
  CHECK(with([](auto& one) { one.shard_nodes += " a/b"; }).find("cannot be the name") != std::string::npos);
  const std::string six_more = " d1 d2 d3 d4 d5 d6";
  CHECK(with([&](auto& one) { one.shard_nodes += six_more; }).empty());
  CHECK(with([&](auto& one) { one.shard_nodes += six_more + " d7"; }).find("9 at most") != std::string::npos);
  CHECK(with([](auto& one) { one.lease_takeover = 700; }).find("'lease-takeover'") != std::string::npos);
  CHECK(with([](auto& one) { one.replicaof_host = "h"; }).find("'replicaof'") != std::string::npos);
}

TEST_CASE("shard: the mode says how many must be in sync, and what happens when all are gone") {
  config::Settings settings = in_a_shard();
  CHECK(read_shard_setup(settings)->replica.min_isr == 1);
  CHECK(read_shard_setup(settings)->replica.restart_on_total_loss);
  settings.replication_mode = config::ReplicationMode::Isr;
  CHECK(read_shard_setup(settings)->replica.min_isr == 2);
  CHECK_FALSE(read_shard_setup(settings)->replica.restart_on_total_loss);
  settings.min_isr = 3;
  settings.on_total_loss = config::OnTotalLoss::Restart;
  CHECK(read_shard_setup(settings)->replica.min_isr == 3);
  CHECK(read_shard_setup(settings)->replica.restart_on_total_loss);
}

TEST_CASE("shard: all times grow with the leases, and stay consistent") {
  config::Settings settings = in_a_shard();
  for (const std::int64_t factor : {1, 2, 3, 10}) {
    settings.lease_heartbeat = 100 * factor;
    settings.lease_serve = 600 * factor;
    settings.lease_takeover = 800 * factor;
    const auto setup = read_shard_setup(settings);
    REQUIRE(setup.has_value());
    CHECK(setup->replica.timing.unapplied == std::chrono::milliseconds(400 * factor));
  }
}

TEST_CASE("shard: addresses are read as they are written") {
  const NodeAddresses addresses{"fd00::1", 7001, 17001};
  CHECK(parse_node_addresses(to_text(addresses)) == addresses);
  CHECK_FALSE(parse_node_addresses("host=a clients=1").has_value());
  CHECK_FALSE(parse_node_addresses("host=a clients=1 nodes=70000").has_value());
  CHECK_FALSE(parse_node_addresses("").has_value());
}

TEST_CASE("shard: what replicas ask each other survives the way, seen from the other end") {
  const cluster::NodeId here{"a"};
  const cluster::NodeId there{"b"};
  cluster::Incarnation mine;
  cluster::Incarnation other;
  mine.bytes.fill(1);
  other.bytes.fill(2);
  const cluster::BootTime sent{std::chrono::nanoseconds(-77)};
  const std::vector<cluster::PeerMessage> messages{
      cluster::Heartbeat{{5}, {here, mine}, {there, other}, {100}, {90}, -3, sent, true},
      cluster::HeartbeatAnswer{{5}, {there, other}, {here, mine}, {{4}, {99}}, sent},
      cluster::PreVote{9, {here, mine}, {5}, cluster::CampaignReason::AllDead},
      cluster::PreVoteAnswer{9, {here, mine}, true, true, {{4}, {99}}},
  };
  for (const cluster::PeerMessage& message : messages) CHECK(from_wire(to_wire(message), there, here) == message);
  CHECK_FALSE(from_wire(wire::SyncEnd{3}, there, here).has_value());
}
