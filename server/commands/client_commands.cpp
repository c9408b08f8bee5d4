#include "server/commands/client_commands.h"

#include <array>

#include "server/commands/command_table.h"
#include "server/commands/help_reply.h"
#include "server/commands/session.h"

namespace magpie::commands {
namespace {

using server::ReplyMode;

std::optional<bool> read_switch(ArgReader& args) {
  if (args.keyword("on")) return true;
  if (args.keyword("off")) return false;
  return std::nullopt;
}

CommandResult client_id(CommandContext& context, ArgReader) {
  context.reply.integer(static_cast<std::int64_t>(context.client.id));
  return {};
}

CommandResult client_getname(CommandContext& context, ArgReader) {
  const std::string name = context.client.texts().name;
  if (name.empty()) {
    context.reply.null();
  } else {
    context.reply.bulk(name);
  }
  return {};
}

CommandResult client_setname(CommandContext& context, ArgReader args) {
  const ByteView name = args.bytes();
  if (!is_client_attribute(name)) return error(std::string(kBadClientName));
  context.client.set_name(name);
  context.reply.ok();
  return {};
}

CommandResult client_setinfo(CommandContext& context, ArgReader args) {
  const ByteView attribute = args.bytes();
  const ByteView value = args.bytes();
  const bool is_name = equals_ignore_case(attribute, "lib-name");
  if (!is_name && !equals_ignore_case(attribute, "lib-ver")) {
    return error("ERR Unrecognized option '" + std::string(printed(attribute)) + "'");
  }
  if (!is_client_attribute(value)) {
    return error("ERR " + std::string(attribute) + " cannot contain spaces, newlines or special characters.");
  }
  if (is_name) {
    context.client.set_library_name(value);
  } else {
    context.client.set_library_version(value);
  }
  context.reply.ok();
  return {};
}

CommandResult client_reply(CommandContext& context, ArgReader args) {
  ReplyMode& mode = context.client.reply_mode;
  if (args.keyword("on")) {
    mode = ReplyMode::On;
    context.reply.ok();
  } else if (args.keyword("off")) {
    mode = ReplyMode::Off;
  } else if (args.keyword("skip")) {
    if (mode != ReplyMode::Off) mode = ReplyMode::SkipNext;
  } else {
    return error(ErrorCode::Syntax);
  }
  return {};
}

CommandResult client_pause(CommandContext& context, ArgReader args) {
  if (args.remaining() > 2) return wrong_subcommand(context);
  const auto ms = parse_integer(args.bytes());
  const bool only_writes = args.keyword("write");
  if (!args.done() && !args.keyword("all")) return error("ERR CLIENT PAUSE mode must be WRITE or ALL");
  if (!ms) return error(ErrorCode::InvalidTimeout);
  if (*ms < 0) return error(ErrorCode::NegativeTimeout);
  if (*ms > INT64_MAX - context.now.ms) return error("ERR timeout is out of range");
  context.server.pause.begin(Instant{context.now.ms + *ms}, only_writes, context.now);
  context.reply.ok();
  return {};
}

CommandResult client_unpause(CommandContext& context, ArgReader) {
  context.server.pause.end();
  context.server.control.pause_changed();
  context.reply.ok();
  return {};
}

CommandResult client_unblock(CommandContext& context, ArgReader args) {
  if (args.remaining() > 2) return wrong_subcommand(context);
  const ByteView id = args.bytes();
  const bool with_error = args.keyword("error");
  if (!args.done() && !args.keyword("timeout")) return error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  const auto number = parse_integer(id);
  if (!number) return error(ErrorCode::NotInteger);
  const auto client = context.server.clients.find(server::ClientId{static_cast<std::uint64_t>(*number)});
  using server::WaitNumber;
  const WaitNumber wait = client == nullptr ? WaitNumber::None : client->unblockable.exchange(WaitNumber::None);
  if (wait != WaitNumber::None) context.server.control.unblock_client(client->id, wait, with_error);
  context.reply.integer(wait != WaitNumber::None ? 1 : 0);
  return {};
}

CommandResult client_no_evict(CommandContext& context, ArgReader args) {
  const auto on = read_switch(args);
  if (!on) return error(ErrorCode::Syntax);
  context.client.no_evict = *on;
  context.reply.ok();
  return {};
}

CommandResult client_no_touch(CommandContext& context, ArgReader args) {
  const auto on = read_switch(args);
  if (!on) return error(ErrorCode::Syntax);
  context.client.no_touch = *on;
  context.reply.ok();
  return {};
}

/// What a client says it can do; nothing depends on it yet, and unknown words are to be ignored.
CommandResult client_capa(CommandContext& context, ArgReader) {
  context.reply.ok();
  return {};
}

CommandResult monitor(CommandContext& context, ArgReader) {
  if (context.in_transaction) return error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  if (context.client.monitoring) return {};  // as Redis: no reply at all
  context.client.monitoring = true;
  context.server.monitors.fetch_add(1, std::memory_order_relaxed);
  context.reply.ok();
  return {};
}

constexpr std::uint32_t kAnybody = kNoScript | kLoading | kStale;
constexpr std::uint32_t kAdministrator = kAdmin | kAnybody;

/// What the subcommands have in common.
constexpr CommandRow sub(std::string_view name, int arity, std::uint32_t flags, std::string_view since,
                         std::string_view summary, std::string_view complexity, Handler handler,
                         std::string_view arguments = "", std::string_view tips = "") {
  return {.name = name,
          .arity = arity,
          .flags = flags,
          .categories = kCatConnection,
          .group = Group::Connection,
          .since = since,
          .summary = summary,
          .complexity = complexity,
          .handler = handler,
          .tips = tips,
          .arguments = arguments};
}

constexpr std::string_view kKillArguments =
    "filter:oneof('ip:port'~2.8.12 new-format:oneof*(client-id:integer=ID?@2.8.12 "
    "normal_master_slave_pubsub:oneof=TYPE?@2.8.12(normal:pure-token=NORMAL master:pure-token=MASTER@3.2.0 "
    "slave:pure-token=SLAVE replica:pure-token=REPLICA@5.0.0 pubsub:pure-token=PUBSUB) username=USER? "
    "'ip:port'=ADDR? 'ip:port'=LADDR?@6.2.0 'yes/no'=SKIPME?))";
constexpr std::string_view kListArguments =
    "normal_master_replica_pubsub:oneof=TYPE?@5.0.0(normal:pure-token=NORMAL master:pure-token=MASTER "
    "replica:pure-token=REPLICA pubsub:pure-token=PUBSUB) id:block=ID?@6.2.0(client-id:integer*)";
constexpr std::string_view kTrackingArguments =
    "status:oneof(on:pure-token=ON off:pure-token=OFF) client-id:integer=REDIRECT? prefix=PREFIX?*+ "
    "bcast:pure-token=BCAST? optin:pure-token=OPTIN? optout:pure-token=OPTOUT? noloop:pure-token=NOLOOP?";

constexpr CommandRow with_history(CommandRow row, std::string_view history) {
  row.history = history;
  return row;
}

constexpr std::array kSubcommands{
    sub("await", 5, kAnybody, "7.2.0",
        "Waits until this node has what a client wrote elsewhere, as CLIENT LSN told it there.", "O(1)", client_await,
        "term:integer lsn:integer timeout:integer"),
    sub("caching", 3, kAnybody, "6.0.0", "Instruct the server about tracking or not keys in the next request", "O(1)",
        client_caching, "mode:oneof(yes:pure-token=YES no:pure-token=NO)"),
    sub("capa", -3, kAnybody, "8.0.0", "A client claims its capability.", "O(1)", client_capa, "capability*"),
    sub("durability", -3, kAnybody, "7.2.0", "Controls when writes of the client are answered.", "O(1)",
        client_durability,
        "mode:oneof(async:pure-token=ASYNC semi:block(semi:pure-token=SEMI replicas:integer?) isr:pure-token=ISR "
        "default:pure-token=DEFAULT)"),
    sub("getname", 2, kAnybody, "2.6.9", "Get the current connection name", "O(1)", client_getname),
    sub("getredir", 2, kAnybody, "6.0.0", "Get tracking notifications redirection client ID if any", "O(1)",
        client_getredir),
    help_row(Group::Connection, "5.0.0", client_help, kCatConnection),
    sub("id", 2, kAnybody, "5.0.0", "Returns the client ID for the current connection", "O(1)", client_id),
    sub("info", 2, kAnybody, "6.2.0", "Returns information about the current client connection.", "O(1)", client_info,
        "", "nondeterministic_output"),
    with_history(sub("kill", -3, kAdministrator, "2.4.0", "Kill the connection of a client",
                     "O(N) where N is the number of client connections", client_kill, kKillArguments),
                 "2.8.12 Added new filter format.\n"
                 "2.8.12 `ID` option.\n"
                 "3.2.0 Added `master` type in for `TYPE` option.\n"
                 "5.0.0 Replaced `slave` `TYPE` with `replica`. `slave` still supported for backward compatibility.\n"
                 "6.2.0 `LADDR` option."),
    sub("lsn", 2, kAnybody, "7.2.0", "Returns where in the log the client's last write is: shard, term and LSN.",
        "O(1)", client_lsn),
    with_history(
        sub("list", -2, kAdministrator, "2.4.0", "Get the list of client connections",
            "O(N) where N is the number of client connections", client_list, kListArguments, "nondeterministic_output"),
        "2.8.12 Added unique client `id` field.\n"
        "5.0.0 Added optional `TYPE` filter.\n"
        "6.0.0 Added `user` field.\n"
        "6.2.0 Added `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` filter.\n"
        "7.0.0 Added `resp`, `multi-mem`, `rbs` and `rbp` fields.\n"
        "7.0.3 Added `ssub` field."),
    sub("no-evict", 3, kAdministrator, "7.0.0", "Set client eviction mode for the current connection", "O(1)",
        client_no_evict, "enabled:oneof(on:pure-token=ON off:pure-token=OFF)"),
    sub("no-touch", 3, kAnybody, "7.2.0",
        "Controls whether commands sent by the client affect the LRU/LFU of accessed keys.", "O(1)", client_no_touch,
        "enabled:oneof(on:pure-token=ON off:pure-token=OFF)"),
    with_history(
        sub("pause", -3, kAdministrator, "2.9.50", "Stop processing commands from clients for some time", "O(1)",
            client_pause, "timeout:integer mode:oneof?@6.2.0(write:pure-token=WRITE all:pure-token=ALL)"),
        "6.2.0 `CLIENT PAUSE WRITE` mode added along with the `mode` option."),
    sub("reads", 3, kAnybody, "7.2.0", "Controls whether what the client reads must be confirmed.", "O(1)",
        client_reads, "mode:oneof(local:pure-token=LOCAL strict:pure-token=STRICT default:pure-token=DEFAULT)"),
    sub("reply", 3, kAnybody, "3.2.0", "Instruct the server whether to reply to commands", "O(1)", client_reply,
        "on_off_skip:oneof(on:pure-token=ON off:pure-token=OFF skip:pure-token=SKIP)"),
    sub("setinfo", 4, kAnybody, "7.2.0", "Sets information specific to the client or connection.", "O(1)",
        client_setinfo, "attr:oneof(libname=LIB-NAME libver=LIB-VER)"),
    sub("setname", 3, kAnybody, "2.6.9", "Set the current connection name", "O(1)", client_setname, "connection-name"),
    sub("tracking", -3, kAnybody, "6.0.0", "Enable or disable server assisted client side caching support",
        "O(1). Some options may introduce additional complexity.", client_tracking, kTrackingArguments),
    sub("trackinginfo", 2, kAnybody, "6.2.0",
        "Return information about server assisted client side caching for the current connection", "O(1)",
        client_trackinginfo),
    sub("unblock", -3, kAdministrator, "5.0.0",
        "Unblock a client blocked in a blocking command from a different connection",
        "O(log N) where N is the number of client connections", client_unblock,
        "client-id:integer timeout_error:oneof?(timeout:pure-token=TIMEOUT error:pure-token=ERROR)"),
    sub("unpause", 2, kAdministrator, "6.2.0", "Resume processing of clients that were paused",
        "O(N) Where N is the number of paused clients", client_unpause),
};

constexpr std::array kRows{
    CommandRow{.name = "client",
               .arity = -2,
               .group = Group::Connection,
               .since = "2.4.0",
               .summary = "A container for client connection commands",
               .complexity = "Depends on subcommand.",
               .subcommands = kSubcommands},
    CommandRow{.name = "monitor",
               .arity = 1,
               .flags = kAdministrator,
               .group = Group::Server,
               .since = "1.0.0",
               .summary = "Listen for all requests received by the server in real time",
               .handler = monitor},
};

}  // namespace

std::span<const CommandRow> client_commands() { return kRows; }

}  // namespace magpie::commands
