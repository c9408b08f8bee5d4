// SLOWLOG and COMMANDLOG: the last commands that were slow, or large.

#include <array>
#include <limits>

#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/help_reply.h"

namespace magpie::commands {
namespace {

constexpr std::int64_t kShownByDefault = 10;

void reply_entries(CommandContext& context, const server::CommandLog& log, std::int64_t count) {
  const auto entries =
      log.newest(count < 0 ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>(count));
  resp::ReplyWriter& reply = context.reply;
  reply.array(entries.size());
  for (const server::CommandLog::Entry& entry : entries) {
    reply.array(6);
    reply.integer(static_cast<std::int64_t>(entry.id));
    reply.integer(entry.time_seconds);
    reply.integer(entry.value);
    reply.array(entry.arguments.size());
    for (const std::string& argument : entry.arguments) reply.bulk(argument);
    reply.bulk(entry.peer_address);
    reply.bulk(entry.client_name);
  }
}

/// A count of entries, -1 for all, or the error.
std::expected<std::int64_t, CommandError> count_argument(ByteView text) {
  const auto count = parse_integer(text);
  if (!count || *count < -1) {
    return std::unexpected(CommandError(std::string("ERR count should be greater than or equal to -1")));
  }
  return *count;
}

CommandResult slowlog_get(CommandContext& context, ArgReader args) {
  if (args.remaining() > 1) return wrong_subcommand(context);
  std::int64_t count = kShownByDefault;
  if (!args.done()) {
    auto asked = count_argument(args.bytes());
    if (!asked) return std::unexpected(std::move(asked.error()));
    count = *asked;
  }
  reply_entries(context, context.server.slow_commands, count);
  return {};
}

CommandResult slowlog_len(CommandContext& context, ArgReader) {
  context.reply.integer(static_cast<std::int64_t>(context.server.slow_commands.size()));
  return {};
}

CommandResult slowlog_reset(CommandContext& context, ArgReader) {
  context.server.slow_commands.reset();
  context.reply.ok();
  return {};
}

CommandResult slowlog_help(CommandContext& context, ArgReader) {
  static constexpr std::string_view kLines[] = {
      "GET [<count>]",
      "    The newest <count> entries, 10 unless told, all with -1. An entry has",
      "    id, Unix time, microseconds, arguments, client address, client name.",
      "LEN",
      "    How many entries there are.",
      "RESET",
      "    Forgets all entries.",
  };
  return reply_help(context, kLines);
}

/// The log that a COMMANDLOG type names, or nullptr.
server::CommandLog* log_named(CommandContext& context, ByteView type) {
  if (equals_ignore_case(type, "slow")) return &context.server.slow_commands;
  if (equals_ignore_case(type, "large-request")) return &context.server.large_requests;
  if (equals_ignore_case(type, "large-reply")) return &context.server.large_replies;
  return nullptr;
}

CommandResult unknown_type() {
  return error("ERR type should be one of the following: slow, large-request, large-reply");
}

CommandResult commandlog_get(CommandContext& context, ArgReader args) {
  auto count = count_argument(args.bytes());
  if (!count) return std::unexpected(std::move(count.error()));
  const server::CommandLog* log = log_named(context, args.bytes());
  if (log == nullptr) return unknown_type();
  reply_entries(context, *log, *count);
  return {};
}

CommandResult commandlog_len(CommandContext& context, ArgReader args) {
  const server::CommandLog* log = log_named(context, args.bytes());
  if (log == nullptr) return unknown_type();
  context.reply.integer(static_cast<std::int64_t>(log->size()));
  return {};
}

CommandResult commandlog_reset(CommandContext& context, ArgReader args) {
  server::CommandLog* log = log_named(context, args.bytes());
  if (log == nullptr) return unknown_type();
  log->reset();
  context.reply.ok();
  return {};
}

CommandResult commandlog_help(CommandContext& context, ArgReader) {
  static constexpr std::string_view kLines[] = {
      "GET <count> <type>",
      "    The newest <count> entries of a log, all with -1. Types are",
      "    slow, large-request, large-reply. An entry has",
      "    id, Unix time, microseconds or bytes, arguments, client address, client name.",
      "LEN <type>",
      "    How many entries the log has.",
      "RESET <type>",
      "    Forgets all entries of the log.",
  };
  return reply_help(context, kLines);
}

constexpr std::array kSlowlogSubcommands{
    CommandRow{.name = "get",
               .arity = -2,
               .flags = kAdmin | kLoading | kStale,
               .group = Group::Server,
               .since = "2.2.12",
               .summary = "Get the slow log's entries",
               .complexity = "O(N) where N is the number of entries returned",
               .handler = slowlog_get,
               .tips = "request_policy:all_nodes nondeterministic_output",
               .arguments = "count:integer?",
               .history = "4.0.0 Added client IP address, port and name to the reply."},
    help_row(Group::Server, "6.2.0", slowlog_help),
    CommandRow{.name = "len",
               .arity = 2,
               .flags = kAdmin | kLoading | kStale,
               .group = Group::Server,
               .since = "2.2.12",
               .summary = "Get the slow log's length",
               .complexity = "O(1)",
               .handler = slowlog_len,
               .tips = "request_policy:all_nodes response_policy:agg_sum nondeterministic_output"},
    CommandRow{.name = "reset",
               .arity = 2,
               .flags = kAdmin | kLoading | kStale,
               .group = Group::Server,
               .since = "2.2.12",
               .summary = "Clear all entries from the slow log",
               .complexity = "O(N) where N is the number of entries in the slowlog",
               .handler = slowlog_reset,
               .tips = "request_policy:all_nodes response_policy:all_succeeded"}};
constexpr std::string_view kCommandlogType =
    "type:oneof(slow:pure-token=SLOW large-request:pure-token=LARGE-REQUEST large-reply:pure-token=LARGE-REPLY)";
constexpr std::string_view kCommandlogGetArguments =
    "count:integer type:oneof(slow:pure-token=SLOW large-request:pure-token=LARGE-REQUEST "
    "large-reply:pure-token=LARGE-REPLY)";
constexpr std::array kCommandlogSubcommands{
    CommandRow{.name = "get",
               .arity = 4,
               .flags = kAdmin | kLoading | kStale,
               .group = Group::Server,
               .since = "8.1.0",
               .summary = "Get the newest entries of a command log",
               .complexity = "O(N) where N is the number of entries returned",
               .handler = commandlog_get,
               .tips = "request_policy:all_nodes nondeterministic_output",
               .arguments = kCommandlogGetArguments},
    help_row(Group::Server, "8.1.0", commandlog_help),
    CommandRow{.name = "len",
               .arity = 3,
               .flags = kAdmin | kLoading | kStale,
               .group = Group::Server,
               .since = "8.1.0",
               .summary = "Get the number of entries of a command log",
               .complexity = "O(1)",
               .handler = commandlog_len,
               .tips = "request_policy:all_nodes response_policy:agg_sum nondeterministic_output",
               .arguments = kCommandlogType},
    CommandRow{.name = "reset",
               .arity = 3,
               .flags = kAdmin | kLoading | kStale,
               .group = Group::Server,
               .since = "8.1.0",
               .summary = "Forget the entries of a command log",
               .complexity = "O(N) where N is the number of entries",
               .handler = commandlog_reset,
               .tips = "request_policy:all_nodes response_policy:all_succeeded",
               .arguments = kCommandlogType}};
constexpr std::array kRows{CommandRow{.name = "commandlog",
                                      .arity = -2,
                                      .group = Group::Server,
                                      .since = "8.1.0",
                                      .summary = "A container for command log commands",
                                      .complexity = "Depends on subcommand.",
                                      .subcommands = kCommandlogSubcommands},
                           CommandRow{.name = "slowlog",
                                      .arity = -2,
                                      .group = Group::Server,
                                      .since = "2.2.12",
                                      .summary = "A container for slow log commands",
                                      .complexity = "Depends on subcommand.",
                                      .subcommands = kSlowlogSubcommands}};

}  // namespace

std::span<const CommandRow> log_commands() { return kRows; }

}  // namespace magpie::commands
