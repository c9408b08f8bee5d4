// ROLE, REPLICAOF: who leads and who follows.

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/role.h"

namespace magpie::commands {
namespace {

void role_of_leader(CommandContext& context) {
  const server::Replication& replication = context.server.replication;
  const auto followers = replication.followers();
  const auto online = [](const auto& follower) {
    return follower->phase.load() == server::FollowerStatus::Phase::Online;
  };
  context.reply.array(3);
  context.reply.bulk("master");
  const server::Replication::Position position = replication.position();
  context.reply.integer(position.active ? static_cast<std::int64_t>(position.end.bytes) : 0);
  context.reply.array(static_cast<std::size_t>(std::ranges::count_if(followers, online)));
  for (const auto& follower : followers) {
    if (!online(follower)) continue;
    context.reply.array(3);
    context.reply.bulk(follower->address);
    context.reply.bulk(std::to_string(follower->port));
    context.reply.bulk(std::to_string(follower->confirmed.load()));
  }
}

CommandResult role(CommandContext& context, ArgReader) {
  const server::Replication& replication = context.server.replication;
  const std::optional<server::Replication::Source> source = followed(context.server);
  if (!source) {
    role_of_leader(context);
    return {};
  }
  constexpr std::array<ByteView, 5> kPhases{"connect", "connecting", "handshake", "sync", "connected"};
  const server::Replication::Place place = replication.place();
  constexpr std::size_t kFields = 5;
  context.reply.array(kFields);
  context.reply.bulk("slave");
  context.reply.bulk(source->host);
  context.reply.integer(source->port);
  context.reply.bulk(kPhases[static_cast<std::size_t>(replication.leader().phase.load())]);
  context.reply.integer(place.log.empty() ? -1 : static_cast<std::int64_t>(place.end.bytes));
  return {};
}

CommandResult replicaof(CommandContext& context, ArgReader args) {
  constexpr std::int64_t kHighestPort = 65535;
  const ByteView host = args.bytes();
  const ByteView port = args.bytes();
  if (context.server.shard.enabled()) {
    return error("ERR REPLICAOF is for plain nodes: in a shard the arbiter decides who leads, FAILOVER hands over");
  }
  std::string source = "no one";
  if (!equals_ignore_case(host, "no") || !equals_ignore_case(port, "one")) {
    const auto number = parse_integer(port);
    if (!number || *number < 0 || *number > kHighestPort) return error("ERR Invalid master port");
    if (host.empty() || host.find_first_of(" \t\r\n") != ByteView::npos) return error("ERR Invalid master host");
    if (context.server.replication.source() == server::Replication::Source{std::string(host), *number}) {
      context.reply.simple("OK Already connected to specified master");
      return {};
    }
    source = std::string(host) + " " + std::to_string(*number);
  }
  if (context.server.replication.failover() != server::Replication::Failover::None) {
    return error("ERR REPLICAOF not allowed while failing over.");
  }
  const std::pair<ByteView, ByteView> change{"replicaof", source};
  auto changed = context.server.config.set({&change, 1}, config::ConfigStore::Caller::Command);
  if (!changed) return error(std::move(changed.error()));
  context.reply.ok();
  return {};
}

using Order = server::NodeControl::FailoverOrder;

/// What FAILOVER was told, but for ABORT.
struct FailoverArguments {
  Order order;
  bool abort = false;
  bool targeted = false;
};

/// False if the word is none that may stand here.
bool take_word(ArgReader& args, FailoverArguments& to) {
  const ByteView word = args.bytes();
  const bool plain = !to.targeted && !to.order.timeout_ms;
  if (equals_ignore_case(word, "abort") && plain && args.remaining() == 0) {
    to.abort = true;
  } else if (equals_ignore_case(word, "timeout") && !to.order.timeout_ms && args.remaining() >= 1 && !to.abort) {
    to.order.timeout_ms = args.integer();
    constexpr std::int64_t kMostMs = std::int64_t{1} << 40;
    if (*to.order.timeout_ms > kMostMs) to.order.timeout_ms = kMostMs;
    if (*to.order.timeout_ms <= 0) args.fail(CommandError(std::string("ERR FAILOVER timeout must be greater than 0")));
  } else if (equals_ignore_case(word, "to") && !to.targeted && args.remaining() >= 2 && !to.abort) {
    to.targeted = true;
    to.order.host = args.bytes();
    to.order.port = args.integer();
  } else if (equals_ignore_case(word, "force") && !to.order.force && !to.abort) {
    to.order.force = true;
  } else {
    return false;
  }
  return true;
}

/// In a shard the machine of leases hands over (rule R11): to the node named, or who has most.
CommandResult hand_over(CommandContext& context, const FailoverArguments& asked) {
  const auto picture = context.server.shard.picture();
  if (!context.server.shard.leads()) return error("ERR FAILOVER is not valid when server is a replica.");
  if (asked.abort || asked.order.force || asked.order.timeout_ms) {
    return error("ERR FAILOVER in a shard takes no option but TO");
  }
  const server::ShardPicture::Node* to = nullptr;
  for (const server::ShardPicture::Node& node : picture->nodes) {
    const bool wanted = !asked.targeted || (node.host == asked.order.host && node.port == asked.order.port);
    if (node.self || !node.in_isr || !wanted) continue;
    if (to == nullptr || node.confirmed > to->confirmed) to = &node;
  }
  if (to == nullptr) return error("ERR FAILOVER needs an in-sync replica of this shard to hand over to.");
  context.server.control.hand_over(to->id);
  context.reply.ok();
  return {};
}

/// Why a failover cannot begin; empty if it can.
std::string obstacle(const server::Replication& replication, const FailoverArguments& asked) {
  if (replication.follows()) return "ERR FAILOVER is not valid when server is a replica.";
  const auto followers = replication.followers();
  if (followers.empty()) return "ERR FAILOVER requires connected replicas.";
  if (asked.order.force && (!asked.targeted || !asked.order.timeout_ms)) {
    return "ERR FAILOVER with force option requires both a timeout and target HOST and IP.";
  }
  if (!asked.targeted) return {};
  const auto found = std::ranges::find_if(followers, [&](const auto& follower) {
    return follower->address == asked.order.host && follower->port == asked.order.port;
  });
  if (found == followers.end()) return "ERR FAILOVER target HOST and PORT is not a replica.";
  if ((*found)->phase.load() != server::FollowerStatus::Phase::Online) {
    return "ERR FAILOVER target replica is not online.";
  }
  return {};
}

CommandResult failover(CommandContext& context, ArgReader args) {
  FailoverArguments asked;
  while (args.remaining() > 0) {
    if (!take_word(args, asked)) return error(ErrorCode::Syntax);
  }
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  if (context.server.shard.enabled()) return hand_over(context, asked);
  server::Replication& replication = context.server.replication;
  if (asked.abort) {
    if (replication.failover() == server::Replication::Failover::None) return error("ERR No failover in progress.");
    context.server.control.abort_failover();
    context.reply.ok();
    return {};
  }
  if (std::string why = obstacle(replication, asked); !why.empty()) return error(std::move(why));
  if (!replication.begin_failover()) return error("ERR FAILOVER already in progress.");
  // Writes wait from here on.
  context.server.control.fail_over(asked.order);
  context.reply.ok();
  return {};
}

CommandResult slaveof(CommandContext& context, ArgReader args) { return replicaof(context, std::move(args)); }

constexpr std::array kRows{
    CommandRow{.name = "failover",
               .arity = -1,
               .flags = kAdmin | kNoScript | kStale,
               .group = Group::Server,
               .since = "6.2.0",
               .summary = "Start a coordinated failover between this server and one of its replicas.",
               .complexity = "O(1)",
               .handler = failover,
               .arguments = "target:block=TO?(host port:integer force:pure-token=FORCE?) abort:pure-token=ABORT? "
                            "milliseconds:integer=TIMEOUT?"},
    CommandRow{.name = "role",
               .arity = 1,
               .flags = kNoScript | kLoading | kStale | kFast,
               .categories = kCatAdmin | kCatDangerous,
               .group = Group::Server,
               .since = "2.8.12",
               .summary = "Return the role of the instance in the context of replication",
               .complexity = "O(1)",
               .handler = role},
    CommandRow{.name = "replicaof",
               .arity = 3,
               .flags = kAdmin | kNoScript | kStale | kNoAsyncLoading,
               .group = Group::Server,
               .since = "5.0.0",
               .summary = "Make the server a replica of another instance, or promote it as master.",
               .complexity = "O(1)",
               .handler = replicaof,
               .locks = Locks::All,
               .arguments =
                   "args:oneof(host-port:block(host port:integer) no-one:block(no:pure-token=NO one:pure-token=ONE))"},
    CommandRow{
        .name = "slaveof",
        .arity = 3,
        .flags = kAdmin | kNoScript | kStale | kNoAsyncLoading,
        .group = Group::Server,
        .since = "1.0.0",
        .summary = "Make the server a replica of another instance, or promote it as master.",
        .complexity = "O(1)",
        .handler = slaveof,
        .locks = Locks::All,
        .arguments = "args:oneof(host-port:block(host port:integer) no-one:block(no:pure-token=NO one:pure-token=ONE))",
        .deprecated_since = "5.0.0",
        .replaced_by = "`REPLICAOF`"}};

}  // namespace

std::span<const CommandRow> replication_commands() { return kRows; }

}  // namespace magpie::commands
