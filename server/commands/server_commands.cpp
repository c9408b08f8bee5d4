// The life of the process: TIME, LASTSAVE, SHUTDOWN, LOLWUT, MODULE, and the commands of a persistence that is not
// there.

#include <algorithm>
#include <array>

#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/help_reply.h"
#include "server/commands/lolwut.h"
#include "server/state/clock.h"

namespace magpie::commands {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kSecondMs = 1000;

CommandResult time(CommandContext& context, ArgReader) {
  const std::int64_t us = server::wall_clock_us();
  context.loop.forget_clock();  // what follows in this burst must not run at an earlier time than this
  context.reply.array(2);
  context.reply.bulk(to_decimal(us / kSecondUs));
  context.reply.bulk(to_decimal(us % kSecondUs));
  return {};
}

/// Never: as Redis, the time of the start then.
CommandResult lastsave(CommandContext& context, ArgReader) {
  context.reply.integer(context.server.start_ms / kSecondMs);
  return {};
}

CommandResult no_persistence(const char* what) {
  return error("ERR " + std::string(what) +
               " is not possible: this version of Magpie keeps all data in memory and writes none to disk");
}

CommandResult save(CommandContext&, ArgReader) { return no_persistence("SAVE"); }

CommandResult bgsave(CommandContext&, ArgReader args) {
  args.keyword("SCHEDULE");
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  return no_persistence("BGSAVE");
}

CommandResult bgrewriteaof(CommandContext&, ArgReader) { return no_persistence("BGREWRITEAOF"); }

struct ShutdownOptions {
  server::NodeControl::Shutdown how;
  bool save = false;
  bool nosave = false;
  bool abort = false;
};

std::expected<ShutdownOptions, CommandError> shutdown_options(ArgReader& args) {
  ShutdownOptions options;
  unsigned given = 0;
  for (; !args.done(); ++given) {
    if (args.keyword("SAVE")) {
      options.save = true;
    } else if (args.keyword("NOSAVE")) {
      options.nosave = true;
    } else if (args.keyword("NOW")) {
      options.how.now = true;
    } else if (args.keyword("FORCE")) {
      options.how.force = true;
    } else if (args.keyword("ABORT")) {
      options.abort = true;
    } else {
      return std::unexpected(CommandError(ErrorCode::Syntax));
    }
  }
  if ((options.save && options.nosave) || (options.abort && given > 1)) {
    return std::unexpected(CommandError(ErrorCode::Syntax));
  }
  return options;
}

/// Answers nothing if it works: the client waits, with all it has sent, and its connection ends with the process.
CommandResult shutdown(CommandContext& context, ArgReader args) {
  auto options = shutdown_options(args);
  if (!options) return std::unexpected(std::move(options.error()));
  if (options->abort) {
    if (!context.server.control.abort_shutdown()) return error("ERR No shutdown in progress.");
    context.reply.ok();
    return {};
  }
  if (options->save && !options->how.force) return no_persistence("SHUTDOWN SAVE");
  context.client.blocked = server::Blocked{server::Blocked::Kind::Shutdown, std::nullopt, false};
  context.server.control.shut_down(options->how);
  return {};
}

/// LOLWUT [VERSION n [columns ...]]: what Redis versions take as parameters is accepted; only the width is used.
CommandResult lolwut(CommandContext& context, ArgReader args) {
  constexpr std::int64_t kColumns = 64;
  constexpr std::int64_t kFewest = 16;
  constexpr std::int64_t kMost = 160;
  std::int64_t columns = kColumns;
  if (args.remaining() >= 2 && args.keyword("VERSION")) {
    args.integer();
    if (!args.done()) columns = args.integer();
    while (!args.done()) args.integer();
    if (auto wrong = args.check()) return std::unexpected(std::move(*wrong));
  }
  columns = std::clamp(columns, kFewest, kMost);
  context.reply.verbatim("txt", lolwut_text(static_cast<std::size_t>(columns), context.now.ms));
  return {};
}

CommandResult module_list(CommandContext& context, ArgReader) {
  context.reply.array(0);
  return {};
}

CommandResult no_modules(CommandContext&, ArgReader) { return error("ERR Magpie does not load modules"); }

CommandResult module_help(CommandContext& context, ArgReader) {
  static constexpr std::string_view kLines[] = {"LIST", "    The loaded modules: always none."};
  return reply_help(context, kLines);
}

constexpr std::array kModuleSubcommands{
    help_row(Group::Server, "5.0.0", module_help),
    CommandRow{.name = "list",
               .arity = 2,
               .flags = kAdmin | kNoScript,
               .group = Group::Server,
               .since = "4.0.0",
               .summary = "List all modules loaded by the server",
               .complexity = "O(N) where N is the number of loaded modules.",
               .handler = module_list,
               .tips = "nondeterministic_output_order"},
    CommandRow{.name = "load",
               .arity = -3,
               .flags = kAdmin | kNoScript | kNoAsyncLoading,
               .group = Group::Server,
               .since = "4.0.0",
               .summary = "Load a module",
               .complexity = "O(1)",
               .handler = no_modules,
               .arguments = "path arg?*"},
    CommandRow{.name = "loadex",
               .arity = -3,
               .flags = kAdmin | kNoScript | kNoAsyncLoading,
               .group = Group::Server,
               .since = "7.0.0",
               .summary = "Load a module with extended parameters",
               .complexity = "O(1)",
               .handler = no_modules,
               .arguments = "path configs:block=CONFIG?*+(name value) args:block=ARGS?*(arg)"},
    CommandRow{.name = "unload",
               .arity = 3,
               .flags = kAdmin | kNoScript | kNoAsyncLoading,
               .group = Group::Server,
               .since = "4.0.0",
               .summary = "Unload a module",
               .complexity = "O(1)",
               .handler = no_modules,
               .arguments = "name"}};
constexpr std::array kRows{
    CommandRow{.name = "time",
               .arity = 1,
               .flags = kLoading | kStale | kFast,
               .group = Group::Server,
               .since = "2.6.0",
               .summary = "Return the current server time",
               .complexity = "O(1)",
               .handler = time,
               .tips = "nondeterministic_output"},
    CommandRow{.name = "lastsave",
               .arity = 1,
               .flags = kLoading | kStale | kFast,
               .categories = kCatAdmin | kCatDangerous,
               .group = Group::Server,
               .since = "1.0.0",
               .summary = "Get the UNIX time stamp of the last successful save to disk",
               .complexity = "O(1)",
               .handler = lastsave,
               .tips = "nondeterministic_output"},
    CommandRow{.name = "save",
               .arity = 1,
               .flags = kAdmin | kNoScript | kNoAsyncLoading | kNoMulti,
               .group = Group::Server,
               .since = "1.0.0",
               .summary = "Synchronously save the dataset to disk",
               .complexity = "O(N) where N is the total number of keys in all databases",
               .handler = save},
    CommandRow{.name = "bgsave",
               .arity = -1,
               .flags = kAdmin | kNoScript | kNoAsyncLoading,
               .group = Group::Server,
               .since = "1.0.0",
               .summary = "Asynchronously save the dataset to disk",
               .complexity = "O(1)",
               .handler = bgsave,
               .arguments = "schedule:pure-token=SCHEDULE?@3.2.2",
               .history = "3.2.2 Added the `SCHEDULE` option."},
    CommandRow{.name = "bgrewriteaof",
               .arity = 1,
               .flags = kAdmin | kNoScript | kNoAsyncLoading,
               .group = Group::Server,
               .since = "1.0.0",
               .summary = "Asynchronously rewrite the append-only file",
               .complexity = "O(1)",
               .handler = bgrewriteaof},
    CommandRow{
        .name = "shutdown",
        .arity = -1,
        .flags = kAdmin | kNoScript | kLoading | kStale | kNoMulti | kAllowBusy,
        .group = Group::Server,
        .since = "1.0.0",
        .summary = "Synchronously save the dataset to disk and then shut down the server",
        .complexity =
            "O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)",
        .handler = shutdown,
        .arguments = "nosave_save:oneof?(nosave:pure-token=NOSAVE save:pure-token=SAVE) now:pure-token=NOW?@7.0.0 "
                     "force:pure-token=FORCE?@7.0.0 abort:pure-token=ABORT?@7.0.0",
        .history = "7.0.0 Added the `NOW`, `FORCE` and `ABORT` modifiers."},
    CommandRow{.name = "lolwut",
               .arity = -1,
               .flags = kReadOnly | kFast,
               .group = Group::Server,
               .since = "5.0.0",
               .summary = "Display some computer art and the Redis version",
               .handler = lolwut,
               .arguments = "version:integer=VERSION?"},
    CommandRow{.name = "module",
               .arity = -2,
               .group = Group::Server,
               .since = "4.0.0",
               .summary = "A container for module commands",
               .complexity = "Depends on subcommand.",
               .subcommands = kModuleSubcommands}};

}  // namespace

std::span<const CommandRow> server_commands() { return kRows; }

}  // namespace magpie::commands
