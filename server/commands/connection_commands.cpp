#include <array>

#include "server/commands/command_table.h"
#include "server/commands/context.h"

namespace magpie::commands {
namespace {

CommandResult ping(CommandContext& context, ArgReader args) {
  if (args.remaining() > 1) return error("ERR wrong number of arguments for 'ping' command");
  if (args.done()) {
    context.reply.simple("PONG");
  } else {
    context.reply.bulk(args.bytes());
  }
  return {};
}

CommandResult echo(CommandContext& context, ArgReader args) {
  context.reply.bulk(args.bytes());
  return {};
}

CommandResult select(CommandContext& context, ArgReader args) {
  const std::int64_t index = args.integer();
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  if (index < 0 || index >= context.server.keyspace.databases()) return error(ErrorCode::DbOutOfRange);
  context.client.db = static_cast<std::uint32_t>(index);
  context.reply.ok();
  return {};
}

CommandResult quit(CommandContext& context, ArgReader) {
  context.client.close_after_reply = true;
  context.reply.ok();
  return {};
}

constexpr std::array kRows{
    CommandRow{.name = "echo",
               .arity = 2,
               .flags = kLoading | kStale | kFast,
               .categories = kCatConnection,
               .group = Group::Connection,
               .since = "1.0.0",
               .summary = "Echo the given string",
               .complexity = "O(1)",
               .handler = echo},
    CommandRow{.name = "ping",
               .arity = -1,
               .flags = kFast,
               .categories = kCatConnection,
               .group = Group::Connection,
               .since = "1.0.0",
               .summary = "Ping the server",
               .complexity = "O(1)",
               .handler = ping},
    CommandRow{.name = "quit",
               .arity = -1,
               .flags = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy | kRunInMulti,
               .categories = kCatConnection,
               .group = Group::Connection,
               .since = "1.0.0",
               .summary = "Close the connection",
               .complexity = "O(1)",
               .handler = quit},
    CommandRow{.name = "select",
               .arity = 2,
               .flags = kLoading | kStale | kFast,
               .categories = kCatConnection,
               .group = Group::Connection,
               .since = "1.0.0",
               .summary = "Change the selected database for the current connection",
               .complexity = "O(1)",
               .handler = select},
};

}  // namespace

std::span<const CommandRow> connection_commands() { return kRows; }

}  // namespace magpie::commands
