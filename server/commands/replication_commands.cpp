// ROLE, REPLICAOF: who leads and who follows.

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "server/commands/command_table.h"
#include "server/commands/context.h"

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
  context.reply.integer(static_cast<std::int64_t>(replication.log_end().bytes));
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
  const std::optional<server::Replication::Source> source = replication.source();
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
  const std::pair<ByteView, ByteView> change{"replicaof", source};
  auto changed = context.server.config.set({&change, 1}, config::ConfigStore::Caller::Command);
  if (!changed) return error(std::move(changed.error()));
  context.reply.ok();
  return {};
}

CommandResult slaveof(CommandContext& context, ArgReader args) { return replicaof(context, std::move(args)); }

constexpr std::array kRows{
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
