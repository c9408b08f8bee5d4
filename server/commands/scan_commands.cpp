// KEYS, SCAN, RANDOMKEY: keys that nobody named.

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/copied_keys.h"

namespace magpie::commands {
namespace {

using engine::Entry;

/// What MATCH and KEYS want. The pattern "*" takes every key, the empty one too, which the glob matcher would refuse.
class KeyPattern {
 public:
  explicit KeyPattern(ByteView glob) : glob_(glob), takes_all_(glob == "*") {}
  bool takes(ByteView key) const { return takes_all_ || glob_match(glob_, key); }

 private:
  ByteView glob_;
  bool takes_all_;
};

CommandResult keys(CommandContext& context, ArgReader args) {
  const KeyPattern pattern(args.bytes());
  std::vector<ByteView> found;  // borrowed from the entries: all stripes are locked
  context.keys.keyspace().visit_all(context.keys.db(), [&](const Entry& entry) {
    if (pattern.takes(entry.key()) && !entry.expired(context.now)) found.push_back(entry.key());
  });
  context.reply.array(found.size());
  for (const ByteView key : found) context.reply.bulk(key);
  return {};
}

/// As strtoul takes it, signs and wrap-around included; leading space is refused, and an empty text is 0.
std::optional<std::uint64_t> parse_cursor(ByteView text) {
  constexpr ByteView kSpace = " \t\n\v\f\r";
  if (!text.empty() && kSpace.find(text[0]) != ByteView::npos) return std::nullopt;
  const std::string terminated(text);
  char* end = nullptr;
  errno = 0;
  const std::uint64_t cursor = std::strtoul(terminated.c_str(), &end, 10);
  if (*end != '\0' || errno == ERANGE) return std::nullopt;
  return cursor;
}

struct ScanOptions {
  std::int64_t count = 10;
  KeyPattern pattern{"*"};
  std::optional<std::string_view> type;  // of the values
};

ScanOptions read_scan_options(ArgReader& args) {
  ScanOptions options;
  while (!args.done() && !args.failed()) {
    if (args.remaining() > 1 && args.keyword("count")) {
      options.count = args.integer();
      if (options.count < 1) args.fail(ErrorCode::Syntax);
    } else if (args.remaining() > 1 && args.keyword("match")) {
      options.pattern = KeyPattern(args.bytes());
    } else if (args.remaining() > 1 && args.keyword("type")) {
      options.type = args.bytes();
    } else {
      args.fail(ErrorCode::Syntax);
    }
  }
  return options;
}

CommandResult scan(CommandContext& context, ArgReader args) {
  const auto cursor = parse_cursor(args.bytes());
  if (!cursor) return error(ErrorCode::InvalidCursor);
  const ScanOptions options = read_scan_options(args);
  if (auto wrong = args.check()) return std::unexpected(std::move(*wrong));
  CopiedKeys found;
  const std::uint64_t next = context.keys.keyspace().scan(
      context.keys.db(), *cursor, static_cast<std::size_t>(options.count), context.in_transaction,
      [&](const Entry& entry) {
        const bool right_type = !options.type || equals_ignore_case(*options.type, type_name(entry.type()));
        if (right_type && options.pattern.takes(entry.key()) && !entry.expired(context.now)) found.add(entry.key());
      });
  context.reply.array(2);
  context.reply.bulk(std::to_string(next));
  found.write_to(context.reply);
  return {};
}

CommandResult randomkey(CommandContext& context, ArgReader) {
  const auto key = context.keys.keyspace().random_key(context.keys.db(), context.now, context.in_transaction);
  if (key) {
    context.reply.bulk(*key);
  } else {
    context.reply.null();
  }
  return {};
}

constexpr std::array kRows{
    CommandRow{.name = "keys",
               .arity = 2,
               .flags = kReadOnly,
               .categories = kCatKeyspace | kCatDangerous,
               .group = Group::Generic,
               .since = "1.0.0",
               .summary = "Find all keys matching the given pattern",
               .complexity = "O(N) with N being the number of keys in the database, under the assumption that the key "
                             "names in the database and the given pattern have limited length.",
               .handler = keys,
               .locks = Locks::All,
               .tips = "request_policy:all_shards nondeterministic_output_order",
               .arguments = "pattern:pattern"},
    CommandRow{.name = "randomkey",
               .arity = 1,
               .flags = kReadOnly,
               .categories = kCatKeyspace,
               .group = Group::Generic,
               .since = "1.0.0",
               .summary = "Return a random key from the keyspace",
               .complexity = "O(1)",
               .handler = randomkey,
               .locks = Locks::Own,
               .tips = "request_policy:all_shards nondeterministic_output"},
    CommandRow{.name = "scan",
               .arity = -2,
               .flags = kReadOnly,
               .categories = kCatKeyspace,
               .group = Group::Generic,
               .since = "2.8.0",
               .summary = "Incrementally iterate the keys space",
               .complexity = "O(1) for every call. O(N) for a complete iteration, including enough command calls for "
                             "the cursor to return back to 0. N is the number of elements inside the collection.",
               .handler = scan,
               .locks = Locks::Own,
               .tips = "nondeterministic_output request_policy:special",
               .arguments = "cursor:integer pattern:pattern=MATCH? count:integer=COUNT? type=TYPE?@6.0.0",
               .history = "6.0.0 Added the `TYPE` subcommand."},
};

}  // namespace

std::span<const CommandRow> scan_commands() { return kRows; }

}  // namespace magpie::commands
