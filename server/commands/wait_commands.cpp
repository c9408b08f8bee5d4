// WAIT, WAITAOF: until replicas have what this client wrote. They keep it in memory: none has it in a file.

#include <array>
#include <limits>
#include <optional>
#include <string>

#include "server/commands/command_table.h"
#include "server/commands/context.h"

namespace magpie::commands {
namespace {

/// 0 means for ever, and so does a time beyond what 64 bits hold.
std::optional<Instant> read_deadline(ArgReader& args, Instant now) {
  const std::int64_t timeout_ms = args.integer(ErrorCode::InvalidTimeout);
  if (timeout_ms < 0) args.fail(ErrorCode::NegativeTimeout);
  if (timeout_ms <= 0 || timeout_ms > std::numeric_limits<std::int64_t>::max() - now.ms) return std::nullopt;
  return Instant{now.ms + timeout_ms};
}

CommandResult wait(CommandContext& context, ArgReader args) {
  if (context.server.replication.follows()) {
    return error(
        "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is "
        "configured to be writable (which is not the default) writes to replicas are just local and are not "
        "propagated.");
  }
  const std::int64_t replicas = args.integer();
  const std::optional<Instant> deadline = read_deadline(args, context.now);
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  context.server.note_writes(context.client);
  const Lsn written = context.client.last_write;
  const std::int64_t confirmed = context.server.replication.confirmed_by(written);
  if (confirmed >= replicas || context.in_transaction) {
    context.reply.integer(confirmed);
  } else {
    context.client.blocked = server::Blocked{.kind = server::Blocked::Kind::Wait,
                                             .until = deadline,
                                             .replicas = replicas,
                                             .lsn = written,
                                             .tenure = context.server.replication.tenure().number()};
  }
  return {};
}

CommandResult waitaof(CommandContext& context, ArgReader args) {
  if (context.server.replication.follows()) {
    return error(
        "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local "
        "and are not propagated.");
  }
  const std::int64_t local = args.integer();
  if (local < 0 || local > 1) {
    args.fail(CommandError(std::string("ERR value is out of range, value must between 0 and 1")));
  }
  const std::int64_t replicas = args.integer_in(0, std::numeric_limits<std::int64_t>::max(), ErrorCode::NotPositive);
  const std::optional<Instant> deadline = read_deadline(args, context.now);
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  if (local > 0) return error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
  if (replicas == 0 || context.in_transaction) {
    context.reply.array(2);
    context.reply.integer(0);
    context.reply.integer(0);
  } else {
    context.client.blocked = server::Blocked{.kind = server::Blocked::Kind::Wait,
                                             .until = deadline,
                                             .counts_file = true,
                                             .tenure = context.server.replication.tenure().number()};
  }
  return {};
}

constexpr std::array kRows{
    CommandRow{.name = "wait",
               .arity = 3,
               .flags = kNoScript,
               .categories = kCatConnection,
               .group = Group::Generic,
               .since = "3.0.0",
               .summary = "Wait for the synchronous replication of all the write commands sent in the context of the "
                          "current connection",
               .complexity = "O(1)",
               .handler = wait,
               .tips = "request_policy:all_shards response_policy:agg_min",
               .arguments = "numreplicas:integer timeout:integer"},
    CommandRow{.name = "waitaof",
               .arity = 4,
               .flags = kBlocking,
               .categories = kCatConnection,
               .group = Group::Generic,
               .since = "7.2.0",
               .summary = "Blocks until all of the preceding write commands sent by the connection are written to the "
                          "append-only file of the master and/or replicas.",
               .complexity = "O(1)",
               .handler = waitaof,
               .tips = "request_policy:all_shards response_policy:agg_min",
               .arguments = "numlocal:integer numreplicas:integer timeout:integer"},
};

}  // namespace

std::span<const CommandRow> wait_commands() { return kRows; }

}  // namespace magpie::commands
