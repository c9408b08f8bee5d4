#pragma once

#include <expected>
#include <string>

#include "cluster/replication/replica_config.h"
#include "server/config/settings.h"

namespace magpie::server {

/// What the options make of a node of a static shard. A value; constant after start.
struct ShardSetup {
  struct Address {
    std::string host;
    int port = 0;
    bool operator==(const Address&) const = default;
  };
  std::string cluster;
  std::string secret;  // that nodes and the arbiter have to know
  Address arbiter;
  std::string host;  // under which others find this node
  int client_port = 0;
  cluster::ReplicaConfig replica;  // but for the incarnation and the details
};

/// "10.0.0.1:7000", "[::1]:7000"; nothing wrong with a missing port where `port` is the one meant then.
std::expected<ShardSetup::Address, std::string> parse_address(const std::string& text, int port = 0);

/// Where nodes find each other, as the arbiter keeps it of each (nodes/<id>).
struct NodeAddresses {
  std::string host;
  int client_port = 0;
  int node_port = 0;
  bool operator==(const NodeAddresses&) const = default;
};
std::string to_text(const NodeAddresses& addresses);
/// Nothing if it is none that this version writes.
std::expected<NodeAddresses, std::string> parse_node_addresses(const std::string& text);

/// Whether the node is to be in a shard; then the options must make sense together, or the error says what is missing.
inline bool wants_shard(const config::Settings& settings) { return !settings.arbiter.empty(); }
std::expected<ShardSetup, std::string> read_shard_setup(const config::Settings& settings);

}  // namespace magpie::server
