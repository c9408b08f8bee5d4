#include "server/shard/shard_setup.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <sstream>

#include "server/state/shard_gate.h"

namespace magpie::server {
namespace {

constexpr int kHighestPort = 65535;

bool parse_port(std::string_view text, int& port) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc() && end == text.data() + text.size() && port > 0 && port <= kHighestPort;
}

bool usable_name(const std::string& name) {
  const auto usable = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' ||
           c == ':' || c == '-';
  };
  return !name.empty() && name.size() <= cluster::kMostNodeId && std::ranges::all_of(name, usable);
}

std::vector<cluster::NodeId> read_nodes(const std::string& text) {
  std::vector<cluster::NodeId> nodes;
  std::istringstream words(text);
  for (std::string word; words >> word;) nodes.push_back({word});
  return nodes;
}

cluster::ReplicationMode mode_of(config::ReplicationMode mode) {
  switch (mode) {
    case config::ReplicationMode::Semi:
      return cluster::ReplicationMode::Semi;
    case config::ReplicationMode::Isr:
      return cluster::ReplicationMode::Isr;
    case config::ReplicationMode::Async:
      break;
  }
  return cluster::ReplicationMode::Async;
}

/// The times that depend on the leases grow with them.
cluster::Timing timing_of(const config::Settings& settings) {
  using std::chrono::milliseconds;
  cluster::Timing timing;
  const cluster::Timing usual;
  const auto scaled = [&](milliseconds time) {
    return milliseconds(std::max<std::int64_t>(time.count() * settings.lease_takeover / usual.takeover.count(), 1));
  };
  timing.heartbeat = milliseconds(settings.lease_heartbeat);
  timing.serve = milliseconds(settings.lease_serve);
  timing.takeover = milliseconds(settings.lease_takeover);
  timing.pre_vote = scaled(usual.pre_vote);
  timing.rank = scaled(usual.rank);
  timing.probe = scaled(usual.probe);
  timing.unapplied = scaled(usual.unapplied);
  timing.patience = scaled(usual.patience);
  timing.attempt = std::max(usual.attempt, timing.heartbeat);
  return timing;
}

bool restarts(const config::Settings& settings) {
  if (settings.on_total_loss == config::OnTotalLoss::Auto) {
    return settings.replication_mode == config::ReplicationMode::Async;
  }
  return settings.on_total_loss == config::OnTotalLoss::Restart;
}

std::size_t min_isr_of(const config::Settings& settings) {
  if (settings.min_isr > 0) return static_cast<std::size_t>(settings.min_isr);
  return settings.replication_mode == config::ReplicationMode::Isr ? 2 : 1;
}

std::expected<void, std::string> check_nodes(const cluster::ReplicaConfig& replica) {
  constexpr std::size_t kMostNodes = ShardGate::kMostFollowers + 1;
  if (replica.nodes.size() > kMostNodes) {
    return std::unexpected("option 'shard-nodes' names " + std::to_string(replica.nodes.size()) +
                           " nodes; a shard has " + std::to_string(kMostNodes) + " at most");
  }
  for (const cluster::NodeId& node : replica.nodes) {
    if (!usable_name(node.text)) {
      return std::unexpected("option 'shard-nodes': '" + node.text + "' cannot be the name of a node");
    }
    if (std::ranges::count(replica.nodes, node) > 1) {
      return std::unexpected("option 'shard-nodes' names " + node.text + " twice");
    }
  }
  if (place_of(replica, replica.self.node) < replica.nodes.size()) return {};
  return std::unexpected("'shard-nodes' must name all nodes of the shard, this one too, which is '" +
                         replica.self.node.text + "' ('node-id', or else the address of 'advertise')");
}

}  // namespace

std::expected<ShardSetup::Address, std::string> parse_address(const std::string& text, int port) {
  ShardSetup::Address address{text, port};
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon != std::string::npos && (text.find(':') == colon || text[colon - 1] == ']');
  if (has_port) {
    address.host = text.substr(0, colon);
    if (!parse_port(std::string_view(text).substr(colon + 1), address.port)) {
      return std::unexpected("'" + text + "' does not end with a port");
    }
  }
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  if (address.host.empty() || address.port == 0) return std::unexpected("'" + text + "' is no host:port");
  return address;
}

std::string to_text(const NodeAddresses& addresses) {
  return "host=" + addresses.host + " clients=" + std::to_string(addresses.client_port) +
         " nodes=" + std::to_string(addresses.node_port);
}

std::expected<NodeAddresses, std::string> parse_node_addresses(const std::string& text) {
  NodeAddresses addresses;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) continue;
    const std::string_view value = std::string_view(word).substr(equals + 1);
    if (word.starts_with("host=")) addresses.host = value;
    if (word.starts_with("clients=") && !parse_port(value, addresses.client_port)) return std::unexpected(word);
    if (word.starts_with("nodes=") && !parse_port(value, addresses.node_port)) return std::unexpected(word);
  }
  if (addresses.host.empty() || addresses.client_port == 0 || addresses.node_port == 0) return std::unexpected(text);
  return addresses;
}

std::expected<ShardSetup, std::string> read_shard_setup(const config::Settings& settings) {
  const auto wrong = [](std::string why) { return std::unexpected(std::move(why)); };
  ShardSetup setup;
  setup.cluster = settings.cluster;
  if (!usable_name(setup.cluster)) return wrong("'arbiter' needs 'cluster', a name of letters, digits, '.', '_', '-'");
  const auto arbiter = parse_address(settings.arbiter);
  if (!arbiter) return wrong("option 'arbiter': " + arbiter.error());
  setup.arbiter = *arbiter;
  const auto advertised = parse_address(settings.advertise, static_cast<int>(settings.port));
  if (settings.advertise.empty() || (!advertised && settings.port != 0)) {
    return wrong("'arbiter' needs 'advertise', the address (host, or host:port) under which others find this node");
  }
  setup.host = advertised ? advertised->host : settings.advertise;
  setup.client_port = advertised ? advertised->port : 0;
  cluster::ReplicaConfig& replica = setup.replica;
  replica.prefix = "/magpie/" + setup.cluster + "/";
  const bool named = !settings.node_id.empty();
  replica.self.node.text = named ? settings.node_id : setup.host + ":" + std::to_string(setup.client_port);
  replica.nodes = read_nodes(settings.shard_nodes);
  if (auto good = check_nodes(replica); !good) return std::unexpected(std::move(good.error()));
  replica.mode = mode_of(settings.replication_mode);
  replica.semi_acks = static_cast<std::size_t>(settings.semi_acks);
  replica.min_isr = min_isr_of(settings);
  replica.restart_on_total_loss = restarts(settings);
  replica.direct_addresses = settings.peer_addresses_direct;
  replica.timing = timing_of(settings);
  if (!replica.timing.consistent()) {
    return wrong(
        "'lease-heartbeat', 'lease-serve' and 'lease-takeover' do not fit: the second must be three times the first at "
        "least, and the third a third more than the second");
  }
  if (!settings.replicaof_host.empty()) return wrong("'replicaof' is for plain nodes: in a shard the arbiter decides");
  return setup;
}

}  // namespace magpie::server
