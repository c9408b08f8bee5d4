#include <array>

#include "server/commands/command_table.h"
#include "server/commands/database_argument.h"
#include "server/commands/role.h"
#include "server/commands/session.h"
#include "server/commands/transaction.h"
#include "server/state/version.h"

namespace magpie::commands {
namespace {

/// The time it takes tells nothing about where the difference is.
bool same_secret(ByteView a, ByteView b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i] ^ b[i]));
  }
  return difference == 0;
}

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
  const Db db = read_database(args, context, "ERR SELECT is not allowed in cluster mode");
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  context.client.db = static_cast<std::uint32_t>(db);
  context.reply.ok();
  return {};
}

CommandResult quit(CommandContext& context, ArgReader) {
  context.client.ending = server::Ending::AfterReply;
  context.reply.ok();
  return {};
}

CommandResult auth(CommandContext& context, ArgReader args) {
  if (args.remaining() > 2) return error(ErrorCode::Syntax);
  context.keep_secret(1);
  ByteView user = "default";
  if (args.remaining() == 2) {
    context.keep_secret(2);
    user = args.bytes();
  } else if (context.settings.requirepass.empty()) {
    return error(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your "
        "configuration is correct?");
  }
  if (!authenticate(context, user, args.bytes())) return error(ErrorCode::WrongPassword);
  context.reply.ok();
  return {};
}

struct HelloOptions {
  std::int64_t version = 0;  // 0: as it is
  std::optional<ByteView> name;
};

CommandResult read_version(ArgReader& args, HelloOptions& options) {
  const auto version = parse_integer(args.bytes());
  if (!version) return error("ERR Protocol version is not an integer or out of range");
  if (*version != 2 && *version != 3) return error(ErrorCode::NoProto);
  options.version = *version;
  return {};
}

CommandResult read_hello_option(CommandContext& context, ArgReader& args, HelloOptions& options) {
  const std::size_t at = context.argv.size() - args.remaining();
  if (args.remaining() > 2 && args.keyword("auth")) {
    context.keep_secret(at + 1);
    context.keep_secret(at + 2);
    const ByteView user = args.bytes();
    // At once, as in Redis 7.0: a mistake in a later option does not undo it.
    if (!authenticate(context, user, args.bytes())) return error(ErrorCode::WrongPassword);
    return {};
  }
  if (args.remaining() > 1 && args.keyword("setname")) {
    options.name = args.bytes();
    if (!is_client_attribute(*options.name)) return error(std::string(kBadClientName));
    return {};
  }
  return error("ERR Syntax error in HELLO option '" + std::string(printed(args.peek())) + "'");
}

CommandResult read_hello(CommandContext& context, ArgReader& args, HelloOptions& options) {
  if (args.done()) return {};
  if (auto read = read_version(args, options); !read) return read;
  while (!args.done()) {
    if (auto read = read_hello_option(context, args, options); !read) return read;
  }
  return {};
}

void describe_server(CommandContext& context) {
  resp::ReplyWriter& reply = context.reply;
  constexpr std::size_t kPairs = 7;
  reply.map(kPairs);
  reply.bulk("server");
  reply.bulk("redis");
  reply.bulk("version");
  reply.bulk(server::kRedisVersion);
  reply.bulk("proto");
  reply.integer(static_cast<std::int64_t>(context.client.resp));
  reply.bulk("id");
  reply.integer(static_cast<std::int64_t>(context.client.id));
  reply.bulk("mode");
  reply.bulk(context.server.shard.enabled() ? "cluster" : "standalone");
  reply.bulk("role");
  reply.bulk(followed(context.server) ? "replica" : "master");
  reply.bulk("modules");
  reply.array(0);
}

void set_version(CommandContext& context, resp::Version version) {
  context.client.resp = version;
  context.reply.set_version(version);
}

CommandResult hello(CommandContext& context, ArgReader args) {
  HelloOptions options;
  if (auto read = read_hello(context, args, options); !read) return read;
  if (!context.client.authenticated) {
    return error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> "
        "<pass> option can be used to authenticate the client and select the RESP protocol version at the same time");
  }
  if (options.name) context.client.set_name(*options.name);
  if (options.version != 0) set_version(context, static_cast<resp::Version>(options.version));
  describe_server(context);
  return {};
}

CommandResult reset(CommandContext& context, ArgReader) {
  server::ClientState& client = context.client;
  stop_monitoring(context.server, client);
  discard_transaction(context.keys.keyspace(), client);
  client.db = 0;
  set_version(context, resp::Version::Resp2);
  client.authenticated = context.settings.requirepass.empty();
  client.set_name("");
  client.no_evict = false;
  client.no_touch = false;
  client.readonly = false;
  // The reply to this very command is still skipped where CLIENT REPLY SKIP asked for it.
  if (client.reply_mode != server::ReplyMode::Skip) client.reply_mode = server::ReplyMode::On;
  context.reply.simple("RESET");
  return {};
}

constexpr std::uint32_t kFirstContact = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy;

constexpr std::array kRows{
    CommandRow{.name = "auth",
               .arity = -2,
               .flags = kFirstContact,
               .categories = kCatConnection,
               .group = Group::Connection,
               .since = "1.0.0",
               .summary = "Authenticate to the server",
               .complexity = "O(N) where N is the number of passwords defined for the user",
               .handler = auth,
               .arguments = "username?@6.0.0 password",
               .history = "6.0.0 Added ACL style (username and password)."},
    CommandRow{.name = "echo",
               .arity = 2,
               .flags = kLoading | kStale | kFast,
               .categories = kCatConnection,
               .group = Group::Connection,
               .since = "1.0.0",
               .summary = "Echo the given string",
               .complexity = "O(1)",
               .handler = echo,
               .arguments = "message"},
    CommandRow{.name = "hello",
               .arity = -1,
               .flags = kFirstContact,
               .categories = kCatConnection,
               .group = Group::Connection,
               .since = "6.0.0",
               .summary = "Handshake with Redis",
               .complexity = "O(1)",
               .handler = hello,
               .arguments = "arguments:block?(protover:integer username_password:block=AUTH?(username password) "
                            "clientname=SETNAME?)",
               .history = "6.2.0 `protover` made optional; when called without arguments the command reports the "
                          "current connection's context."},
    CommandRow{.name = "ping",
               .arity = -1,
               .flags = kFast,
               .categories = kCatConnection,
               .group = Group::Connection,
               .since = "1.0.0",
               .summary = "Ping the server",
               .complexity = "O(1)",
               .handler = ping,
               .tips = "request_policy:all_shards response_policy:all_succeeded",
               .arguments = "message?"},
    CommandRow{.name = "quit",
               .arity = -1,
               .flags = kFirstContact | kRunInMulti,
               .categories = kCatConnection,
               .group = Group::Connection,
               .since = "1.0.0",
               .summary = "Close the connection",
               .complexity = "O(1)",
               .handler = quit},
    CommandRow{.name = "reset",
               .arity = 1,
               .flags = kFirstContact | kRunInMulti,
               .categories = kCatConnection,
               .group = Group::Connection,
               .since = "6.2.0",
               .summary = "Reset the connection",
               .complexity = "O(1)",
               .handler = reset},
    CommandRow{.name = "select",
               .arity = 2,
               .flags = kLoading | kStale | kFast,
               .categories = kCatConnection,
               .group = Group::Connection,
               .since = "1.0.0",
               .summary = "Change the selected database for the current connection",
               .complexity = "O(1)",
               .handler = select,
               .arguments = "index:integer"},
};

}  // namespace

bool authenticate(CommandContext& context, ByteView user, ByteView password) {
  const std::string& expected = context.settings.requirepass;
  if (user != "default" || (!expected.empty() && !same_secret(password, expected))) return false;
  context.client.authenticated = true;
  return true;
}

bool is_client_attribute(ByteView text) {
  for (const char c : text) {
    if (c < '!' || c > '~') return false;
  }
  return true;
}

void stop_monitoring(server::ServerState& server, server::ClientState& client) {
  if (!client.monitoring) return;
  client.monitoring = false;
  server.monitors.fetch_sub(1, std::memory_order_relaxed);
}

std::span<const CommandRow> connection_commands() { return kRows; }

}  // namespace magpie::commands
