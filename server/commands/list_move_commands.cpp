// LMOVE, RPOPLPUSH, LMPOP: taking from one list of several, or to another.

#include <array>
#include <string>
#include <vector>

#include "protocol/numbers.h"
#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/list_reply.h"

namespace magpie::commands {
namespace {

using engine::Key;
using engine::ListEnd;
using engine::ListErase;
using engine::ListPush;

ListEnd read_end(ArgReader& args) {
  if (args.keyword("left")) return ListEnd::Front;
  if (!args.keyword("right")) args.fail(ErrorCode::Syntax);
  return ListEnd::Back;
}

/// Pushes before it erases: a list of one element that is its own target stays, with its expiry.
void move_element(CommandContext& context, const Key& source, ListRange range, const Key& target, ListEnd to) {
  engine::IntegerScratch scratch;
  const engine::ListView list = context.keys.find_untouched(source)->list();
  const std::string element(text_of(list.at(range.first), scratch));  // it may lie in the list that changes
  context.reply.bulk(element);
  const ByteView pushed = element;
  context.keys.apply(ListPush{context.keys.db(), target, to, {&pushed, 1}});
  if (source.bytes == target.bytes && to == ListEnd::Front) ++range.first;
  context.keys.apply_as(ListErase{context.keys.db(), source, range.first, 1}, 0);
}

CommandResult move(CommandContext& context, const Key& source, ListEnd from, const Key& target, ListEnd to) {
  auto list = context.keys.find_list(source);
  if (!list) return std::unexpected(std::move(list.error()));
  if (!*list) {
    context.reply.null();
    return {};
  }
  const ListRange taken = ListRange::at_end(from, 1, (*list)->size());
  auto other = context.keys.find_list(target);
  if (!other) return std::unexpected(std::move(other.error()));
  move_element(context, source, taken, target, to);
  return {};
}

CommandResult lmove(CommandContext& context, ArgReader args) {
  const Key source = context.keys.key(args.bytes());
  const Key target = context.keys.key(args.bytes());
  const ListEnd from = read_end(args);
  const ListEnd to = read_end(args);
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  return move(context, source, from, target, to);
}

CommandResult rpoplpush(CommandContext& context, ArgReader args) {
  const Key source = context.keys.key(args.bytes());
  const Key target = context.keys.key(args.bytes());
  return move(context, source, ListEnd::Back, target, ListEnd::Front);
}

constexpr std::size_t kFirstKey = 2;  // of LMPOP, its name being argument 0

/// As many arguments behind LMPOP's number as it says, whatever they are.
bool find_keys_by_number(std::span<const ByteView> arguments, std::vector<std::uint32_t>& positions) {
  if (arguments.size() <= kFirstKey) return false;
  const auto count = parse_integer(arguments[1]);
  if (!count || *count < 1 || static_cast<std::uint64_t>(*count) > arguments.size() - kFirstKey) return false;
  for (std::size_t i = 0; i < static_cast<std::size_t>(*count); ++i)
    positions.push_back(static_cast<std::uint32_t>(kFirstKey + i));
  return true;
}

/// A number from 1 on; anything else is this error.
std::int64_t positive(ArgReader& args, const char* otherwise) {
  const auto number = parse_integer(args.bytes());
  if (number && *number > 0) return *number;
  args.fail(CommandError(otherwise));
  return 1;
}

std::int64_t read_count(ArgReader& args) {
  if (args.done()) return 1;
  if (args.remaining() > 1 && args.keyword("count")) return positive(args, "ERR count should be greater than 0");
  args.fail(ErrorCode::Syntax);
  return 1;
}

/// From the first of the keys that has a list.
CommandResult pop_first_of(CommandContext& context, std::span<const ByteView> keys, ListEnd end, std::uint64_t most) {
  for (const ByteView name : keys) {
    const Key key = context.keys.key(name);
    auto list = context.keys.find_list(key);
    if (!list) return std::unexpected(std::move(list.error()));
    if (!*list) continue;
    const ListRange range = ListRange::at_end(end, most, (*list)->size());
    context.reply.array(2);
    context.reply.bulk(name);
    reply_elements(context.reply, **list, range, end);
    context.keys.apply_as(ListErase{context.keys.db(), key, range.first, range.count}, range.count);
    return {};
  }
  context.reply.null_array();
  return {};
}

CommandResult lmpop(CommandContext& context, ArgReader args) {
  const std::int64_t number = positive(args, "ERR numkeys should be greater than 0");
  if (auto wrong = args.check()) return std::unexpected(std::move(*wrong));
  if (static_cast<std::uint64_t>(number) >= args.remaining()) return error(ErrorCode::Syntax);
  const std::span<const ByteView> keys = args.rest().first(static_cast<std::size_t>(number));
  args.skip(keys.size());
  const ListEnd end = read_end(args);
  const std::int64_t most = read_count(args);
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  return pop_first_of(context, keys, end, static_cast<std::uint64_t>(most));
}

constexpr std::array kMoved{KeySearch{.flags = "RW access delete", .index = 1},
                            KeySearch{.flags = "RW insert", .index = 2}};
constexpr KeySpec kMovedKeys{.first = 1, .last = 2, .step = 1, .searches = kMoved};
constexpr std::array kPopped{KeySearch{.flags = "RW access delete", .index = 1, .find = KeySearch::Find::KeyNumber}};

constexpr std::array kRows{
    CommandRow{.name = "lmove",
               .arity = 5,
               .flags = kWrite | kDenyOom,
               .keys = kMovedKeys,
               .categories = kCatList,
               .group = Group::List,
               .since = "6.2.0",
               .summary = "Pop an element from a list, push it to another list and return it",
               .complexity = "O(1)",
               .handler = lmove,
               .arguments = "source:key#0 destination:key#1 "
                            "wherefrom:oneof(left:pure-token=LEFT right:pure-token=RIGHT) "
                            "whereto:oneof(left:pure-token=LEFT right:pure-token=RIGHT)"},
    CommandRow{.name = "lmpop",
               .arity = -4,
               .flags = kWrite | kMovableKeys,
               .keys = {.flags = "RW access delete", .find = find_keys_by_number, .searches = kPopped},
               .categories = kCatList,
               .group = Group::List,
               .since = "7.0.0",
               .summary = "Pop elements from a list",
               .complexity = "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
               .handler = lmpop,
               .arguments = "numkeys:integer key:key#0* where:oneof(left:pure-token=LEFT right:pure-token=RIGHT) "
                            "count:integer=COUNT?"},
    CommandRow{.name = "rpoplpush",
               .arity = 3,
               .flags = kWrite | kDenyOom,
               .keys = kMovedKeys,
               .categories = kCatList,
               .group = Group::List,
               .since = "1.2.0",
               .summary = "Remove the last element in a list, prepend it to another list and return it",
               .complexity = "O(1)",
               .handler = rpoplpush,
               .arguments = "source:key#0 destination:key#1",
               .deprecated_since = "6.2.0",
               .replaced_by = "`LMOVE` with the `RIGHT` and `LEFT` arguments"},
};

}  // namespace

std::span<const CommandRow> list_move_commands() { return kRows; }

}  // namespace magpie::commands
