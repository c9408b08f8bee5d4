// What Redis has for replicas, as a single node answers it.

#include <array>

#include "server/commands/command_table.h"
#include "server/commands/context.h"

namespace magpie::commands {
namespace {

CommandResult role(CommandContext& context, ArgReader) {
  context.reply.array(3);
  context.reply.bulk("master");
  context.reply.integer(0);
  context.reply.array(0);
  return {};
}

CommandResult replicaof(CommandContext& context, ArgReader args) {
  constexpr std::int64_t kHighestPort = 65535;
  const ByteView host = args.bytes();
  const ByteView port = args.bytes();
  if (equals_ignore_case(host, "no") && equals_ignore_case(port, "one")) {
    context.reply.ok();
    return {};
  }
  const auto number = parse_integer(port);
  if (!number || *number < 0 || *number > kHighestPort) return error("ERR Invalid master port");
  return error("ERR Magpie does not replicate from other servers yet; only NO ONE is possible");
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
        .arguments = "args:oneof(host-port:block(host port:integer) no-one:block(no:pure-token=NO one:pure-token=ONE))",
        .deprecated_since = "5.0.0",
        .replaced_by = "`REPLICAOF`"}};

}  // namespace

std::span<const CommandRow> replication_commands() { return kRows; }

}  // namespace magpie::commands
