// What a shard shows of its nodes to cluster clients, in Redis's terms: one shard that has all slots. A node that is in
// sync is a replica that may be read from; one that is not yet is shown as loading.

#include <algorithm>
#include <string>
#include <vector>

#include "cluster/placement/slot.h"
#include "server/commands/cluster_commands.h"
#include "server/commands/info.h"
#include "server/commands/session.h"
#include "server/state/wire_id.h"

namespace magpie::commands {
namespace {

using server::ShardGate;
using server::ShardPicture;
using Node = ShardPicture::Node;
using Nodes = std::vector<const Node*>;

std::string id_of(const ShardPicture& picture, const Node& node) { return server::wire_id(picture.cluster, node.id); }

const Node* find(const ShardPicture& picture, ByteView id) {
  const auto found = std::ranges::find_if(picture.nodes, [&](const Node& node) { return id_of(picture, node) == id; });
  return found == picture.nodes.end() ? nullptr : &*found;
}

CommandResult unknown_node(ByteView id) { return error("ERR Unknown node " + std::string(printed(id))); }

/// Those that clients can reach, the leader first.
Nodes reachable(const ShardPicture& picture) {
  const Node* const leader = picture.leader();
  Nodes nodes;
  if (leader != nullptr) nodes.push_back(leader);
  for (const Node& node : picture.nodes) {
    if (&node != leader) nodes.push_back(&node);
  }
  std::erase_if(nodes, [](const Node* node) { return node->host.empty(); });
  return nodes;
}

ByteView health(const Node& node) {
  if (!node.alive) return "fail";
  return node.leads || node.in_isr ? "online" : "loading";
}

/// Whether somebody serves, as far as this node knows.
bool is_served(const ShardGate& gate) { return gate.leads() ? gate.may_serve() : gate.hears_leader(); }

void write_slots(resp::ReplyWriter& reply) {
  reply.integer(0);
  reply.integer(kSlots - 1);
}

void write_details(CommandContext& context, const ShardPicture& picture, const Node& node) {
  resp::ReplyWriter& reply = context.reply;
  constexpr std::size_t kFields = 7;
  reply.map(kFields);
  reply.bulk("id");
  reply.bulk(id_of(picture, node));
  reply.bulk("port");
  reply.integer(node.port);
  reply.bulk("ip");
  reply.bulk(node.host);
  reply.bulk("endpoint");
  reply.bulk(node.host);
  reply.bulk("role");
  reply.bulk(node.leads ? "master" : "replica");
  reply.bulk("replication-offset");
  const std::uint64_t offset = node.self ? context.server.replication.log_end().bytes : node.confirmed;
  reply.integer(static_cast<std::int64_t>(offset));
  reply.bulk("health");
  reply.bulk(health(node));
}

std::string flags_of(const Node& node) {
  std::string flags = node.self ? "myself," : "";
  flags += node.leads ? "master" : "slave";
  if (!node.alive) flags += ",fail";
  if (node.host.empty()) flags += ",noaddr";
  return flags;
}

/// A line of CLUSTER NODES. Who is linked to this node was heard of just now: links that are silent end soon.
std::string line_of(const ShardPicture& picture, const Node& node, Instant now) {
  const Node* const leader = picture.leader();
  const bool follows = leader != nullptr && !node.leads;
  std::string line = id_of(picture, node) + " " + node.host + ":" + std::to_string(node.port) + "@" +
                     std::to_string(node.node_port) + " " + flags_of(node) + " ";
  line += follows ? id_of(picture, *leader) : "-";
  line += " 0 " + std::to_string(node.alive ? now.ms : 0) + " " + std::to_string(picture.term.number);
  line += node.alive ? " connected" : " disconnected";
  if (node.leads) line += " 0-" + std::to_string(kSlots - 1);
  return line;
}

}  // namespace

CommandResult cluster_slots(CommandContext& context, ArgReader) {
  const auto picture = context.server.shard.picture();
  Nodes nodes = reachable(*picture);
  if (nodes.empty() || !nodes.front()->leads) {
    context.reply.array(0);
    return {};
  }
  std::erase_if(nodes, [](const Node* node) { return !node->leads && health(*node) != "online"; });
  context.reply.array(1);
  context.reply.array(2 + nodes.size());
  write_slots(context.reply);
  for (const Node* node : nodes) {
    constexpr std::size_t kParts = 4;
    context.reply.array(kParts);
    context.reply.bulk(node->host);
    context.reply.integer(node->port);
    context.reply.bulk(id_of(*picture, *node));
    context.reply.map(0);
  }
  return {};
}

CommandResult cluster_shards(CommandContext& context, ArgReader) {
  const auto picture = context.server.shard.picture();
  const Nodes nodes = reachable(*picture);
  context.reply.array(1);
  context.reply.map(2);
  context.reply.bulk("slots");
  context.reply.array(2);
  write_slots(context.reply);
  context.reply.bulk("nodes");
  context.reply.array(nodes.size());
  for (const Node* node : nodes) write_details(context, *picture, *node);
  return {};
}

CommandResult cluster_nodes(CommandContext& context, ArgReader) {
  const auto picture = context.server.shard.picture();
  std::string text;
  for (const Node& node : picture->nodes) text += line_of(*picture, node, context.now) + "\n";
  context.reply.verbatim("txt", text);
  return {};
}

CommandResult cluster_replicas(CommandContext& context, ArgReader args) {
  const auto picture = context.server.shard.picture();
  const ByteView id = args.bytes();
  const Node* const leader = find(*picture, id);
  if (leader == nullptr) return unknown_node(id);
  if (!leader->leads) return error("ERR The specified node is not a master");
  context.reply.array(picture->nodes.size() - 1);
  for (const Node& node : picture->nodes) {
    if (&node != leader) context.reply.bulk(line_of(*picture, node, context.now));
  }
  return {};
}

CommandResult cluster_count_failure_reports(CommandContext& context, ArgReader args) {
  const ByteView id = args.bytes();
  if (find(*context.server.shard.picture(), id) == nullptr) return unknown_node(id);
  context.reply.integer(0);  // nodes judge each other by their own links alone
  return {};
}

CommandResult cluster_links(CommandContext& context, ArgReader) {
  const auto picture = context.server.shard.picture();
  const auto linked = [](const Node& node) { return node.alive && !node.self; };
  resp::ReplyWriter& reply = context.reply;
  reply.array(static_cast<std::size_t>(std::ranges::count_if(picture->nodes, linked)));
  for (const Node& node : picture->nodes) {
    if (!linked(node)) continue;
    constexpr std::size_t kFields = 6;
    reply.map(kFields);
    reply.bulk("direction");
    reply.bulk("to");
    reply.bulk("node");
    reply.bulk(id_of(*picture, node));
    // A picture does not tell these.
    reply.bulk("create-time");
    reply.integer(0);
    reply.bulk("events");
    reply.bulk("r");
    reply.bulk("send-buffer-allocated");
    reply.integer(0);
    reply.bulk("send-buffer-used");
    reply.integer(0);
  }
  return {};
}

CommandResult cluster_myid(CommandContext& context, ArgReader) {
  const auto picture = context.server.shard.picture();
  const Node* const self = picture->self();
  if (self == nullptr) return error("ERR This node does not know its name in the shard yet");
  context.reply.bulk(id_of(*picture, *self));
  return {};
}

CommandResult cluster_info(CommandContext& context, ArgReader) {
  const auto picture = context.server.shard.picture();
  const bool served = is_served(context.server.shard);
  InfoText text;
  text.field("cluster_state", served ? "ok" : "fail");
  text.field("cluster_slots_assigned", static_cast<std::int64_t>(kSlots));
  text.field("cluster_slots_ok", static_cast<std::int64_t>(served ? kSlots : 0));
  text.field("cluster_slots_pfail", 0);
  text.field("cluster_slots_fail", static_cast<std::int64_t>(served ? 0 : kSlots));
  text.field("cluster_known_nodes", static_cast<std::uint64_t>(picture->nodes.size()));
  text.field("cluster_size", 1);
  text.field("cluster_current_epoch", picture->term.number);
  text.field("cluster_my_epoch", picture->term.number);
  // Of Redis's cluster bus, which is not spoken here.
  text.field("cluster_stats_messages_sent", 0);
  text.field("cluster_stats_messages_received", 0);
  text.field("total_cluster_links_buffer_limit_exceeded", 0);
  context.reply.verbatim("txt", text.text());
  return {};
}

}  // namespace magpie::commands
