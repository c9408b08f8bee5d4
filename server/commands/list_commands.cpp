// LPUSH, RPUSH, LPUSHX, RPUSHX, LPOP, RPOP, LLEN, LINDEX, LRANGE, LSET, LTRIM: lists by their ends and indices.

#include <array>

#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/list_reply.h"

namespace magpie::commands {
namespace {

using engine::Key;
using engine::ListEnd;
using engine::ListErase;
using engine::ListPush;
using engine::ListSet;

template <ListEnd End, bool OnlyIfThere>
CommandResult push(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  auto list = context.keys.find_list(key);
  if (!list) return std::unexpected(std::move(list.error()));
  if (OnlyIfThere && !*list) {
    context.reply.integer(0);
    return {};
  }
  const std::span<const ByteView> elements = args.rest();
  const std::size_t size = (*list ? (*list)->size() : 0) + elements.size();
  context.keys.apply_as(ListPush{context.keys.db(), key, End, elements}, elements.size());
  context.reply.integer(static_cast<std::int64_t>(size));
  return {};
}

/// Without a count one element, with one an array; nil of the matching kind where there is no list.
template <ListEnd End>
CommandResult pop(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  if (args.remaining() > 1)
    return error("ERR wrong number of arguments for '" + context.command.full_name + "' command");
  const bool many = !args.done();
  const std::int64_t most = many ? args.integer(ErrorCode::NotPositive) : 1;
  if (most < 0) args.fail(ErrorCode::NotPositive);
  if (auto wrong = args.check()) return std::unexpected(std::move(*wrong));
  auto list = context.keys.find_list(key);
  if (!list) return std::unexpected(std::move(list.error()));
  if (!*list) {
    many ? context.reply.null_array() : context.reply.null();
    return {};
  }
  const ListRange range = ListRange::at_end(End, static_cast<std::uint64_t>(most), (*list)->size());
  if (many) {
    reply_elements(context.reply, **list, range, End);
  } else {
    reply_element(context.reply, (*list)->at(range.first));
  }
  if (range.count > 0) {
    context.keys.apply_as(ListErase{context.keys.db(), key, range.first, range.count}, range.count);
  }
  return {};
}

CommandResult llen(CommandContext& context, ArgReader args) {
  auto list = context.keys.read_list(context.keys.key(args.bytes()));
  if (!list) return std::unexpected(std::move(list.error()));
  context.reply.integer(*list ? static_cast<std::int64_t>((*list)->size()) : 0);
  return {};
}

/// The index as counted from the front; nothing if it is outside.
std::optional<std::size_t> index_in(const engine::ListView& list, std::int64_t index) {
  const auto size = static_cast<std::int64_t>(list.size());
  if (index < 0) index += size;
  if (index < 0 || index >= size) return std::nullopt;
  return static_cast<std::size_t>(index);
}

/// As in Redis, the index is not looked at where there is no list; so with LSET.
CommandResult lindex(CommandContext& context, ArgReader args) {
  auto list = context.keys.read_list(context.keys.key(args.bytes()));
  if (!list) return std::unexpected(std::move(list.error()));
  if (!*list) {
    context.reply.null();
    return {};
  }
  const std::int64_t number = args.integer();
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  const auto index = index_in(**list, number);
  if (index) {
    reply_element(context.reply, (*list)->at(*index));
  } else {
    context.reply.null();
  }
  return {};
}

CommandResult lset(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  auto list = context.keys.find_list(key);
  if (!list) return std::unexpected(std::move(list.error()));
  if (!*list) return error(ErrorCode::NoSuchKey);
  const std::int64_t number = args.integer();
  const ByteView element = args.bytes();
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  const auto index = index_in(**list, number);
  if (!index) return error("ERR index out of range");
  context.keys.apply(ListSet{context.keys.db(), key, *index, element});
  context.reply.ok();
  return {};
}

CommandResult lrange(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const std::int64_t start = args.integer();
  const std::int64_t stop = args.integer();
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  auto list = context.keys.read_list(key);
  if (!list) return std::unexpected(std::move(list.error()));
  if (*list) {
    reply_elements(context.reply, **list, ListRange::between(start, stop, (*list)->size()));
  } else {
    context.reply.array(0);
  }
  return {};
}

/// What lies behind the range goes first, so that the indices of what lies in front stay.
CommandResult ltrim(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const std::int64_t start = args.integer();
  const std::int64_t stop = args.integer();
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  auto list = context.keys.find_list(key);
  if (!list) return std::unexpected(std::move(list.error()));
  if (*list) {
    const std::size_t size = (*list)->size();
    const ListRange kept = ListRange::between(start, stop, size);
    const std::size_t end = kept.first + kept.count;
    const Db db = context.keys.db();
    if (end < size) context.keys.apply_as(ListErase{db, key, end, size - end}, size - end);
    if (kept.first > 0) context.keys.apply_as(ListErase{db, key, 0, kept.first}, kept.first);
  }
  context.reply.ok();
  return {};
}

constexpr std::string_view kPushComplexity =
    "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.";
constexpr std::string_view kPopComplexity = "O(N) where N is the number of elements returned";

constexpr CommandRow pushing(std::string_view name, std::string_view since, std::string_view summary,
                             std::string_view history, Handler handler) {
  return {.name = name,
          .arity = -3,
          .flags = kWrite | kDenyOom | kFast,
          .keys = one_key("RW insert"),
          .categories = kCatList,
          .group = Group::List,
          .since = since,
          .summary = summary,
          .complexity = kPushComplexity,
          .handler = handler,
          .arguments = "key:key#0 element*",
          .history = history};
}

constexpr CommandRow popping(std::string_view name, std::string_view summary, Handler handler) {
  return {.name = name,
          .arity = -2,
          .flags = kWrite | kFast,
          .keys = one_key("RW access delete"),
          .categories = kCatList,
          .group = Group::List,
          .since = "1.0.0",
          .summary = summary,
          .complexity = kPopComplexity,
          .handler = handler,
          .arguments = "key:key#0 count:integer?@6.2.0",
          .history = "6.2.0 Added the `count` argument."};
}

constexpr std::array kRows{
    CommandRow{.name = "lindex",
               .arity = 3,
               .flags = kReadOnly,
               .keys = one_key("RO access"),
               .categories = kCatList,
               .group = Group::List,
               .since = "1.0.0",
               .summary = "Get an element from a list by its index",
               .complexity = "O(N) where N is the number of elements to traverse to get to the element at index. This "
                             "makes asking for the first or the last element of the list O(1).",
               .handler = lindex,
               .arguments = "key:key#0 index:integer"},
    CommandRow{.name = "llen",
               .arity = 2,
               .flags = kReadOnly | kFast,
               .keys = one_key("RO"),
               .categories = kCatList,
               .group = Group::List,
               .since = "1.0.0",
               .summary = "Get the length of a list",
               .complexity = "O(1)",
               .handler = llen,
               .arguments = "key:key#0"},
    popping("lpop", "Remove and get the first elements in a list", pop<ListEnd::Front>),
    pushing("lpush", "1.0.0", "Prepend one or multiple elements to a list",
            "2.4.0 Accepts multiple `element` arguments.", push<ListEnd::Front, false>),
    pushing("lpushx", "2.2.0", "Prepend an element to a list, only if the list exists",
            "4.0.0 Accepts multiple `element` arguments.", push<ListEnd::Front, true>),
    CommandRow{.name = "lrange",
               .arity = 4,
               .flags = kReadOnly,
               .keys = one_key("RO access"),
               .categories = kCatList,
               .group = Group::List,
               .since = "1.0.0",
               .summary = "Get a range of elements from a list",
               .complexity = "O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest "
                             "end (HEAD or TAIL) for large lists; and N is the number of elements in the specified "
                             "range.",
               .handler = lrange,
               .arguments = "key:key#0 start:integer stop:integer"},
    CommandRow{.name = "lset",
               .arity = 4,
               .flags = kWrite | kDenyOom,
               .keys = one_key("RW update"),
               .categories = kCatList,
               .group = Group::List,
               .since = "1.0.0",
               .summary = "Set the value of an element in a list by its index",
               .complexity = "O(N) where N is the length of the list. Setting either the first or the last element of "
                             "the list is O(1).",
               .handler = lset,
               .arguments = "key:key#0 index:integer element"},
    CommandRow{.name = "ltrim",
               .arity = 4,
               .flags = kWrite,
               .keys = one_key("RW delete"),
               .categories = kCatList,
               .group = Group::List,
               .since = "1.0.0",
               .summary = "Trim a list to the specified range",
               .complexity = "O(N) where N is the number of elements to be removed by the operation.",
               .handler = ltrim,
               .arguments = "key:key#0 start:integer stop:integer"},
    popping("rpop", "Remove and get the last elements in a list", pop<ListEnd::Back>),
    pushing("rpush", "1.0.0", "Append one or multiple elements to a list",
            "2.4.0 Accepts multiple `element` arguments.", push<ListEnd::Back, false>),
    pushing("rpushx", "2.2.0", "Append an element to a list, only if the list exists",
            "4.0.0 Accepts multiple `element` arguments.", push<ListEnd::Back, true>),
};

}  // namespace

std::span<const CommandRow> list_commands() { return kRows; }

}  // namespace magpie::commands
