// RENAME, RENAMENX, COPY, MOVE: a value and its expiry go to another place.

#include <array>

#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/database_argument.h"

namespace magpie::commands {
namespace {

using engine::Entry;
using engine::Erase;
using engine::Key;
using engine::Put;

/// Puts the value and expiry of the key `from`, which must exist, to another place. The effect borrows the value from
/// its entry, so nothing is copied twice, and of a large list nothing at all.
void put_copy(CommandContext& context, const Key& from, Db db, const Key& target) {
  const Entry& source = *context.keys.find_untouched(from);
  context.keys.apply(Put{db, target, source.value(), source.expiry()});
}

/// The same, and erases the source. The heat goes with the value.
void put_and_erase(CommandContext& context, const Key& from, Db db, const Key& target) {
  engine::Keyspace& keyspace = context.keys.keyspace();
  const engine::Heat heat = *keyspace.heat(context.keys.db(), from);
  put_copy(context, from, db, target);
  context.keys.apply_as(Erase{context.keys.db(), from}, 0);  // with the former it is one change
  keyspace.set_heat(db, target, heat);
}

enum class Moved : std::uint8_t { Yes, NoSource, TargetExists };

Moved rename_key(CommandContext& context, ArgReader& args, bool replace) {
  const Key source = context.keys.key(args.bytes());
  const Key target = context.keys.key(args.bytes());
  if (context.keys.find(source) == nullptr) return Moved::NoSource;
  if (source.bytes == target.bytes) return Moved::TargetExists;
  if (context.keys.find(target) != nullptr && !replace) return Moved::TargetExists;
  put_and_erase(context, source, context.keys.db(), target);
  return Moved::Yes;
}

CommandResult rename(CommandContext& context, ArgReader args) {
  if (rename_key(context, args, true) == Moved::NoSource) return error(ErrorCode::NoSuchKey);
  context.reply.ok();  // also if source and target are the same
  return {};
}

CommandResult renamenx(CommandContext& context, ArgReader args) {
  const Moved moved = rename_key(context, args, false);
  if (moved == Moved::NoSource) return error(ErrorCode::NoSuchKey);
  context.reply.integer(moved == Moved::Yes ? 1 : 0);
  return {};
}

CommandResult copy(CommandContext& context, ArgReader args) {
  const Key source = context.keys.key(args.bytes());
  const Key target = context.keys.key(args.bytes());
  Db target_db = context.keys.db();
  bool replace = false;
  while (!args.done() && !args.failed()) {
    if (args.keyword("replace")) {
      replace = true;
    } else if (args.remaining() > 1 && args.keyword("db")) {
      target_db = read_database(args, context);
    } else {
      args.fail(ErrorCode::Syntax);
    }
  }
  if (auto wrong = args.check()) return std::unexpected(std::move(*wrong));
  if (context.server.shard.enabled() && target_db != Db{0}) {
    return error("ERR Copying to another database is not allowed in cluster mode");
  }
  if (target_db == context.keys.db() && source.bytes == target.bytes) return error(ErrorCode::SameObject);
  if (context.keys.read(source) == nullptr || (context.keys.find_in(target_db, target) != nullptr && !replace)) {
    context.reply.integer(0);
    return {};
  }
  put_copy(context, source, target_db, target);
  context.reply.integer(1);
  return {};
}

CommandResult move(CommandContext& context, ArgReader args) {
  if (context.server.shard.enabled()) return error("ERR MOVE is not allowed in cluster mode");
  const Key key = context.keys.key(args.bytes());
  const Db target = read_database(args, context);
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  if (target == context.keys.db()) return error(ErrorCode::SameObject);
  if (context.keys.find(key) == nullptr || context.keys.find_in(target, key) != nullptr) {
    context.reply.integer(0);
    return {};
  }
  put_and_erase(context, key, target, key);
  context.reply.integer(1);
  return {};
}

/// What COMMAND INFO says of a command's two keys.
using TwoKeys = std::array<KeySearch, 2>;
constexpr TwoKeys kCopied{KeySearch{.flags = "RO access", .index = 1}, KeySearch{.flags = "OW update", .index = 2}};
constexpr TwoKeys kRenamed{KeySearch{.flags = "RW access delete", .index = 1},
                           KeySearch{.flags = "OW update", .index = 2}};
constexpr TwoKeys kRenamedToNew{KeySearch{.flags = "RW access delete", .index = 1},
                                KeySearch{.flags = "OW insert", .index = 2}};

constexpr KeySpec two_keys(const TwoKeys& searches) { return {.first = 1, .last = 2, .step = 1, .searches = searches}; }

constexpr std::array kRows{
    CommandRow{.name = "copy",
               .arity = -3,
               .flags = kWrite | kDenyOom,
               .keys = two_keys(kCopied),
               .categories = kCatKeyspace,
               .group = Group::Generic,
               .since = "6.2.0",
               .summary = "Copy a key",
               .complexity = "O(N) worst case for collections, where N is the number of nested items. O(1) for string "
                             "values.",
               .handler = copy,
               .arguments = "source:key#0 destination:key#1 destination-db:integer=DB? replace:pure-token=REPLACE?"},
    CommandRow{.name = "move",
               .arity = 3,
               .flags = kWrite | kFast,
               .keys = {.first = 1, .last = 1, .step = 1, .flags = "RW access update"},
               .categories = kCatKeyspace,
               .group = Group::Generic,
               .since = "1.0.0",
               .summary = "Move a key to another database",
               .complexity = "O(1)",
               .handler = move,
               .arguments = "key:key#0 db:integer"},
    CommandRow{.name = "rename",
               .arity = 3,
               .flags = kWrite,
               .keys = two_keys(kRenamed),
               .categories = kCatKeyspace,
               .group = Group::Generic,
               .since = "1.0.0",
               .summary = "Rename a key",
               .complexity = "O(1)",
               .handler = rename,
               .arguments = "key:key#0 newkey:key#1"},
    CommandRow{
        .name = "renamenx",
        .arity = 3,
        .flags = kWrite | kFast,
        .keys = two_keys(kRenamedToNew),
        .categories = kCatKeyspace,
        .group = Group::Generic,
        .since = "1.0.0",
        .summary = "Rename a key, only if the new key does not exist",
        .complexity = "O(1)",
        .handler = renamenx,
        .arguments = "key:key#0 newkey:key#1",
        .history = "3.2.0 The command no longer returns an error when source and destination names are the same."},
};

}  // namespace

std::span<const CommandRow> transfer_commands() { return kRows; }

}  // namespace magpie::commands
