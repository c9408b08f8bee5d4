#include <algorithm>
#include <array>

#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/help_reply.h"

namespace magpie::commands {
namespace {

CommandResult config_get(CommandContext& context, ArgReader args) {
  const auto found = context.server.config.get(args.rest());
  context.reply.map(found.size());
  for (const auto& [name, value] : found) {
    context.reply.bulk(name);
    context.reply.bulk(value);
  }
  return {};
}

/// Whether logs must not show the value.
bool is_secret(ByteView option) {
  constexpr std::array<ByteView, 3> kSecrets{"requirepass", "masterauth", "tls-key-file-pass"};
  return std::any_of(kSecrets.begin(), kSecrets.end(), [&](ByteView one) { return equals_ignore_case(option, one); });
}

CommandResult config_set(CommandContext& context, ArgReader args) {
  if (args.remaining() % 2 != 0) return error(ErrorCode::Syntax);
  std::vector<std::pair<ByteView, ByteView>> pairs;
  while (!args.done()) {
    const ByteView name = args.bytes();
    if (is_secret(name)) context.keep_secret(context.argv.size() - args.remaining());
    pairs.emplace_back(name, args.bytes());
  }
  using Caller = config::ConfigStore::Caller;
  auto set = context.server.config.set(pairs, is_local(context.client) ? Caller::Local : Caller::Remote);
  if (!set) return error(std::move(set.error()));
  context.changed = context.server.config.current();
  context.reply.ok();
  return {};
}

CommandResult config_resetstat(CommandContext& context, ArgReader) {
  context.server.reset_statistics();
  context.reply.ok();
  return {};
}

CommandResult config_rewrite(CommandContext& context, ArgReader) {
  auto written = context.server.config.rewrite();
  if (!written) return error(std::move(written.error()));
  context.reply.ok();
  return {};
}

CommandResult config_help(CommandContext& context, ArgReader) {
  static constexpr std::string_view kLines[] = {"GET <pattern> [<pattern> ...]",
                                                "    The parameters whose names match, and their values.",
                                                "SET <directive> <value> [<directive> <value> ...]",
                                                "    Changes parameters: all of them, or none if one is refused.",
                                                "RESETSTAT",
                                                "    Starts the counters of INFO anew.",
                                                "REWRITE",
                                                "    Writes the values in force to the configuration file."};
  return reply_help(context, kLines);
}

constexpr std::array kConfigSubcommands{
    CommandRow{.name = "get",
               .arity = -3,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "2.0.0",
               .summary = "Get the values of configuration parameters",
               .complexity = "O(N) when N is the number of configuration parameters provided",
               .handler = config_get,
               .arguments = "parameter:block*(parameter)",
               .history = "7.0.0 Added the ability to pass multiple pattern parameters in one call"},
    help_row(Group::Server, "5.0.0", config_help),
    CommandRow{.name = "resetstat",
               .arity = 2,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "2.0.0",
               .summary = "Reset the stats returned by INFO",
               .complexity = "O(1)",
               .handler = config_resetstat},
    CommandRow{.name = "rewrite",
               .arity = 2,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "2.8.0",
               .summary = "Rewrite the configuration file with the in memory configuration",
               .complexity = "O(1)",
               .handler = config_rewrite},
    CommandRow{.name = "set",
               .arity = -4,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "2.0.0",
               .summary = "Set configuration parameters to the given values",
               .complexity = "O(N) when N is the number of configuration parameters provided",
               .handler = config_set,
               .tips = "request_policy:all_nodes response_policy:all_succeeded",
               .arguments = "parameter_value:block*(parameter value)",
               .history = "7.0.0 Added the ability to set multiple parameters in one call."}};
constexpr std::array kRows{CommandRow{.name = "config",
                                      .arity = -2,
                                      .group = Group::Server,
                                      .since = "2.0.0",
                                      .summary = "A container for server configuration commands",
                                      .complexity = "Depends on subcommand.",
                                      .subcommands = kConfigSubcommands}};

}  // namespace

std::span<const CommandRow> config_commands() { return kRows; }

}  // namespace magpie::commands
