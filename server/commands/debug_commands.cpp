// DEBUG: off unless enable-debug-command allows it. All stripes are held: for keys, the server stands still meanwhile,
// which is what DEBUG SLEEP is for.

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <thread>

#include "server/commands/command_table.h"
#include "server/commands/debug.h"
#include "server/commands/help_reply.h"
#include "server/commands/info.h"

namespace magpie::commands {
namespace {

CommandResult done(CommandContext& context, ArgReader) {
  context.reply.ok();
  return {};
}

CommandResult sleep(CommandContext& context, ArgReader args) {
  const double seconds = parse_double(args.bytes()).value_or(0);
  constexpr double kLongest = 86400;
  if (seconds > 0) std::this_thread::sleep_for(std::chrono::duration<double>(std::min(seconds, kLongest)));
  context.reply.ok();
  return {};
}

CommandResult set_active_expire(CommandContext& context, ArgReader args) {
  context.server.keyspace.set_active_expiry(parse_integer(args.bytes()).value_or(0) != 0);
  context.reply.ok();
  return {};
}

CommandResult quicklist_packed_threshold(CommandContext& context, ArgReader args) {
  const auto bytes = parse_memory_size(args.bytes());
  if (!bytes || *bytes > std::numeric_limits<std::uint32_t>::max()) {
    return error("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
  }
  context.reply.ok();
  return {};
}

CommandResult string_match(CommandContext& context, ArgReader args) {
  const ByteView pattern = args.bytes();
  context.reply.integer(glob_match(pattern, args.bytes()) ? 1 : 0);
  return {};
}

CommandResult log(CommandContext& context, ArgReader args) {
  context.server.control.log("DEBUG LOG: " + std::string(args.bytes()));
  context.reply.ok();
  return {};
}

CommandResult fail(CommandContext&, ArgReader args) { return error(std::string(args.bytes())); }

CommandResult reply_buffer(CommandContext& context, ArgReader args) {
  if (!args.keyword("PEAK-RESET-TIME") && !args.keyword("RESIZING")) return wrong_subcommand(context);
  context.reply.ok();
  return {};
}

CommandResult help(CommandContext& context, ArgReader) {
  static constexpr std::string_view kLines[] = {
      "CHANGE-REPL-ID, DICT-RESIZING <0|1>, PAUSE-CRON <0|1>, REPLYBUFFER <option> <value>",
      "    Accepted without effect.",
      "DIGEST",
      "    A hash of all data: equal for equal data.",
      "DIGEST-VALUE <key> [<key> ...]",
      "    A hash of each key's value.",
      "ERROR <string>",
      "    Answers this error.",
      "HTSTATS <dbid>",
      "    Sizes of a database's tables.",
      "JMAP",
      "    Accepted without effect.",
      "LOADAOF, RELOAD [MERGE|NOFLUSH|NOSAVE ...]",
      "    Keep the data as it is: there is no file to read it from.",
      "LOG <message>",
      "    Writes a message to the server's log.",
      "OBJECT <key>",
      "    How the value is kept.",
      "POPULATE <count> [<prefix>] [<size>]",
      "    Makes <count> strings named key:<number>, or <prefix>:<number>.",
      "PROTOCOL <type>",
      "    A reply of this type.",
      "QUICKLIST-PACKED-THRESHOLD <size>",
      "    Accepted without effect.",
      "SET-ACTIVE-EXPIRE <0|1>",
      "    Whether expired keys are erased without being asked for.",
      "SLEEP <seconds>",
      "    Holds all keys for so long. Decimals are allowed.",
      "STRINGMATCH-LEN <pattern> <string>",
      "    1 if the pattern matches.",
  };
  return reply_help(context, kLines);
}

struct Subcommand {
  std::string_view name;
  std::size_t fewest;  // arguments
  std::size_t most;
  Handler run;
};

constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();
constexpr std::array kSubcommands{
    Subcommand{"change-repl-id", 0, 0, done},
    Subcommand{"dict-resizing", 1, 1, done},
    Subcommand{"digest", 0, 0, debug::digest},
    Subcommand{"digest-value", 0, kAny, debug::digest_value},
    Subcommand{"error", 1, 1, fail},
    Subcommand{"help", 0, 0, help},
    Subcommand{"htstats", 1, 2, debug::table_statistics},
    Subcommand{"htstats-key", 1, 2, debug::needs_key},
    Subcommand{"jmap", 0, 0, done},
    Subcommand{"listpack", 1, 1, debug::needs_key},
    Subcommand{"loadaof", 0, 0, done},
    Subcommand{"log", 1, 1, log},
    Subcommand{"object", 1, 1, debug::object},
    Subcommand{"pause-cron", 1, 1, done},
    Subcommand{"populate", 1, 3, debug::populate},
    Subcommand{"protocol", 1, 1, debug::protocol},
    Subcommand{"quicklist-packed-threshold", 1, 1, quicklist_packed_threshold},
    Subcommand{"reload", 0, kAny, debug::reload},
    Subcommand{"replybuffer", 2, 2, reply_buffer},
    Subcommand{"sdslen", 1, 1, debug::sdslen},
    Subcommand{"set-active-expire", 1, 1, set_active_expire},
    Subcommand{"set-disable-deny-scripts", 1, 1, done},
    Subcommand{"sleep", 1, 1, sleep},
    Subcommand{"stringmatch-len", 2, 2, string_match},
};

bool allowed(const CommandContext& context) {
  switch (context.settings.enable_debug_command) {
    case config::Permission::Yes:
      return true;
    case config::Permission::Local:
      return is_local(context.client);
    case config::Permission::No:
      break;
  }
  return false;
}

CommandResult debug_command(CommandContext& context, ArgReader args) {
  if (!allowed(context)) {
    return error(
        "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a "
        "local connection, otherwise you need to set this option in the configuration file, and then restart the "
        "server.");
  }
  const ByteView name = args.bytes();
  const auto found = std::find_if(kSubcommands.begin(), kSubcommands.end(),
                                  [&](const Subcommand& one) { return equals_ignore_case(name, one.name); });
  if (found == kSubcommands.end() || args.remaining() < found->fewest || args.remaining() > found->most) {
    return wrong_subcommand(context);
  }
  const engine::Keyspace::Guard guard = lock_all(context);
  return found->run(context, ArgReader(args.rest()));
}

constexpr std::array kRows{CommandRow{.name = "debug",
                                      .arity = -2,
                                      .flags = kAdmin | kNoScript | kLoading | kStale,
                                      .group = Group::Server,
                                      .since = "1.0.0",
                                      .summary = "A container for debugging commands",
                                      .complexity = "Depends on subcommand.",
                                      .handler = debug_command,
                                      .locks = Locks::Own,
                                      .system = true}};

}  // namespace

std::span<const CommandRow> debug_commands() { return kRows; }

}  // namespace magpie::commands
