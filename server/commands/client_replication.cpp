// CLIENT DURABILITY, LSN, AWAIT: what a client wants to know of replicas.

#include <limits>

#include "server/commands/client_commands.h"
#include "server/commands/context.h"

namespace magpie::commands {

using server::Durability;

CommandResult client_durability(CommandContext& context, ArgReader args) {
  if (context.in_transaction) return error("ERR CLIENT DURABILITY is of no use inside a transaction");
  const ByteView mode = args.bytes();
  server::ClientState& client = context.client;
  std::int64_t acks = 1;
  Durability durability = Durability::Default;
  if (equals_ignore_case(mode, "semi")) {
    durability = Durability::Semi;
    if (args.remaining() > 0)
      acks = args.integer_in(1, std::numeric_limits<std::int32_t>::max(), ErrorCode::NotPositive);
  } else if (equals_ignore_case(mode, "async")) {
    durability = Durability::Async;
  } else if (equals_ignore_case(mode, "isr")) {
    if (!context.server.shard.enabled()) {
      return error("ERR ISR needs the in-sync replicas of a shard; this node has none, use SEMI");
    }
    durability = Durability::Isr;
  } else if (!equals_ignore_case(mode, "default")) {
    return error(ErrorCode::Syntax);
  }
  if (args.remaining() > 0) return error(ErrorCode::Syntax);
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  client.durability = durability;
  client.semi_acks = acks;
  context.reply.ok();
  return {};
}

CommandResult client_reads(CommandContext& context, ArgReader args) {
  if (context.in_transaction) return error("ERR CLIENT READS is of no use inside a transaction");
  const ByteView mode = args.bytes();
  server::Reads reads = server::Reads::Default;
  if (equals_ignore_case(mode, "strict")) {
    if (!context.server.shard.enabled()) return error("ERR STRICT needs the in-sync replicas of a shard");
    reads = server::Reads::Strict;
  } else if (equals_ignore_case(mode, "local")) {
    reads = server::Reads::Local;
  } else if (!equals_ignore_case(mode, "default")) {
    return error(ErrorCode::Syntax);
  }
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  context.client.reads = reads;
  context.reply.ok();
  return {};
}

CommandResult client_lsn(CommandContext& context, ArgReader) {
  context.server.note_writes(context.client);
  const Lsn written = context.client.last_write;
  context.reply.array(3);
  context.reply.integer(0);  // the shard, of which there is one
  context.reply.integer(static_cast<std::int64_t>(context.client.last_write_term.number));
  context.reply.integer(static_cast<std::int64_t>(written.bytes));
  return {};
}

CommandResult client_await(CommandContext& context, ArgReader args) {
  const std::int64_t term = args.integer();
  const std::int64_t lsn = args.integer();
  const std::int64_t timeout_ms = args.integer(ErrorCode::InvalidTimeout);
  if (timeout_ms < 0) args.fail(ErrorCode::NegativeTimeout);
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  server::Blocked wait{.kind = server::Blocked::Kind::Await, .until = std::nullopt};
  if (timeout_ms > 0 && timeout_ms <= std::numeric_limits<std::int64_t>::max() - context.now.ms) {
    wait.until = Instant{context.now.ms + timeout_ms};
  }
  wait.term = Term{static_cast<std::uint64_t>(term)};
  wait.lsn = Lsn{static_cast<std::uint64_t>(lsn)};
  if (context.in_transaction || context.server.confirmed(wait)) {
    context.reply.integer(context.server.confirmed(wait) ? 1 : 0);
  } else {
    context.client.blocked = wait;
  }
  return {};
}

}  // namespace magpie::commands
