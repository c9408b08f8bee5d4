#include <cstdio>

#include "server/commands/client_commands.h"
#include "server/commands/session.h"

namespace magpie::commands {
namespace {

using server::ClientFlag;
using server::ClientState;

std::string flags_of(const ClientState& client) {
  const std::uint32_t bits = client.flags;
  const auto has = [bits](ClientFlag flag) { return (bits & static_cast<std::uint32_t>(flag)) != 0; };
  std::string letters;
  const auto add = [&letters](bool on, char letter) {
    if (on) letters += letter;
  };
  add(has(ClientFlag::Monitor), 'O');
  add(has(ClientFlag::Multi), 'x');
  add(has(ClientFlag::Blocked), 'b');
  add(client.watch_dirty.load(std::memory_order_relaxed), 'd');
  add(has(ClientFlag::CloseAfterReply), 'c');
  add(client.killed.load(std::memory_order_relaxed), 'A');
  add(client.unix_socket, 'U');
  add(has(ClientFlag::ReadOnly), 'r');
  add(has(ClientFlag::NoEvict), 'e');
  add(has(ClientFlag::NoTouch), 'T');
  return letters.empty() ? "N" : letters;
}

/// Of the command that the client runs now; inside a transaction that is EXEC.
std::size_t running_bytes(const CommandContext& context) {
  if (context.in_transaction) return std::string_view("exec").size();
  std::size_t sum = 0;
  for (const ByteView argument : context.argv) sum += argument.size();
  return sum;
}

/// One line of CLIENT LIST, as Redis 7.2 has it. Zero are the fields for what this server does not have: pub/sub,
/// and reply buffers of each client (replies are written to a buffer of the loop).
std::string describe(const ClientState& client, const CommandContext& context) {
  const Instant now = context.now;
  constexpr std::int64_t kSecondMs = 1000;
  const ClientState::Texts texts = client.texts();
  const bool runs = &client == &context.client;
  const std::uint64_t output = client.output_queue + client.output_shared;
  const Command* last = client.last_command;
  std::string line = "id=" + std::to_string(static_cast<std::uint64_t>(client.id));
  const auto text = [&line](ByteView name, ByteView value) {
    line += ' ';
    line += name;
    line += '=';
    line += value;
  };
  const auto number = [&text](ByteView name, auto value) { text(name, to_decimal(static_cast<std::int64_t>(value))); };
  text("addr", client.peer_address);
  text("laddr", client.local_address);
  number("fd", client.fd);
  text("name", texts.name);
  number("age", (now.ms - client.created_ms) / kSecondMs);
  number("idle", (now.ms - client.last_activity_ms) / kSecondMs);
  text("flags", flags_of(client));
  number("db", std::uint32_t{client.db});
  number("sub", 0);
  number("psub", 0);
  number("ssub", 0);
  number("multi", std::int32_t{client.multi_count});
  number("qbuf", std::uint64_t{client.query_buffer});
  number("qbuf-free", std::uint64_t{client.query_buffer_free});
  number("argv-mem", runs ? running_bytes(context) : std::uint64_t{client.argument_bytes});
  number("multi-mem", std::uint64_t{client.multi_memory});
  number("rbs", 0);
  number("rbp", 0);
  number("obl", 0);
  number("oll", output > 0 ? 1 : 0);
  number("omem", output);
  number("tot-mem", client.memory());
  text("events", output > 0 ? "rw" : "r");
  text("cmd", last == nullptr ? "NULL" : ByteView(last->full_name));
  text("user", "default");
  number("redir", -1);
  number("resp", unsigned{std::uint8_t{client.shared_resp}});
  text("lib-name", texts.library_name);
  text("lib-ver", texts.library_version);
  line += '\n';
  return line;
}

/// CLIENT LIST ID <id> ...
CommandResult list_by_id(CommandContext& context, ArgReader& args, std::string& lines) {
  while (!args.done()) {
    const auto id = parse_integer(args.bytes());
    if (!id) return error("ERR Invalid client ID");
    const auto client = context.server.clients.find(server::ClientId{static_cast<std::uint64_t>(*id)});
    if (client != nullptr) lines += describe(*client, context);
  }
  return {};
}

CommandResult list_by_filter(CommandContext& context, ArgReader& args, std::string& lines) {
  ClientFilter filter;
  if (auto read = read_client_filter(args, filter); !read) return read;
  if (filter.id) return error(ErrorCode::Syntax);  // as in Redis, ID stands alone
  for (const auto& client : context.server.clients.all()) {
    if (filter.matches(*client, context) && !client->killed.load(std::memory_order_relaxed)) {
      lines += describe(*client, context);
    }
  }
  return {};
}

}  // namespace

CommandResult client_list(CommandContext& context, ArgReader args) {
  context.client.publish_flags();
  std::string lines;
  const bool by_id = args.remaining() > 1 && args.keyword("id");
  const CommandResult listed = by_id ? list_by_id(context, args, lines) : list_by_filter(context, args, lines);
  if (!listed) return std::unexpected(CommandError(std::string(listed.error().text())));
  context.reply.verbatim("txt", lines);
  return {};
}

CommandResult client_info(CommandContext& context, ArgReader) {
  context.client.publish_flags();
  context.reply.verbatim("txt", describe(context.client, context));
  return {};
}

}  // namespace magpie::commands
