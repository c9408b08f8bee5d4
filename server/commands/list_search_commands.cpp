// LINSERT, LREM, LPOS: elements of lists by their value.

#include <array>
#include <limits>
#include <vector>

#include "protocol/numbers.h"
#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/list_reply.h"

namespace magpie::commands {
namespace {

using engine::Key;
using engine::ListErase;
using engine::ListInsert;
using engine::ListView;
using engine::StringValue;

/// An element as the list would keep it, so that it is compared without being spelled out.
class Wanted {
 public:
  explicit Wanted(ByteView text) : value_(StringValue::compact(text)) {}
  bool operator==(const StringValue& element) const {
    return element.form == value_.form && element.number == value_.number && element.bytes == value_.bytes;
  }

 private:
  StringValue value_;
};

/// From the end that the sign of a count says.
class Walk {
 public:
  Walk(const ListView& list, bool backwards) : at_(list, backwards ? list.size() - 1 : 0), backwards_(backwards) {}
  bool valid() const { return at_.valid(); }
  std::size_t index() const { return at_.index(); }
  StringValue value() const { return at_.value(); }
  void go_on() { backwards_ ? at_.previous() : at_.next(); }

 private:
  ListView::Cursor at_;
  bool backwards_;
};

/// Without the sign, also of the smallest one.
std::uint64_t magnitude(std::int64_t number) {
  const auto bits = static_cast<std::uint64_t>(number);
  return number < 0 ? -bits : bits;
}

CommandResult linsert(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const bool after = args.keyword("after");
  if (!after && !args.keyword("before")) return error(ErrorCode::Syntax);
  const Wanted pivot(args.bytes());
  const ByteView element = args.bytes();
  auto list = context.keys.find_list(key);
  if (!list) return std::unexpected(std::move(list.error()));
  if (!*list) {
    context.reply.integer(0);
    return {};
  }
  const std::size_t size = (*list)->size();
  ListView::Cursor at(**list, 0);
  while (at.valid() && !(pivot == at.value())) at.next();
  if (!at.valid()) {
    context.reply.integer(-1);
    return {};
  }
  context.keys.apply(ListInsert{context.keys.db(), key, at.index() + (after ? 1 : 0), element});
  context.reply.integer(static_cast<std::int64_t>(size) + 1);
  return {};
}

/// Neighbours that go, gathered in the order of the walk.
class Gathered {
 public:
  void add(std::size_t index) {
    ++sum_;
    if (!ranges_.empty() && ranges_.back().first + ranges_.back().count == index) {
      ++ranges_.back().count;
    } else if (!ranges_.empty() && ranges_.back().first == index + 1) {
      --ranges_.back().first;
      ++ranges_.back().count;
    } else {
      ranges_.push_back({index, 1});
    }
  }
  std::size_t sum() const { return sum_; }
  /// Visits them from the back of the list to the front, so that erasing one leaves the indices of the others.
  template <class Visit>
  void from_the_back(bool walked_backwards, const Visit& visit) const {
    if (walked_backwards) {
      for (const ListRange& range : ranges_) visit(range);
    } else {
      for (auto range = ranges_.rbegin(); range != ranges_.rend(); ++range) visit(*range);
    }
  }

 private:
  std::vector<ListRange> ranges_;
  std::size_t sum_ = 0;
};

CommandResult lrem(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const std::int64_t count = args.integer();
  const Wanted wanted(args.bytes());
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  auto list = context.keys.find_list(key);
  if (!list) return std::unexpected(std::move(list.error()));
  Gathered gone;
  if (*list) {
    const std::uint64_t most = count == 0 ? SIZE_MAX : magnitude(count);
    for (Walk at(**list, count < 0); at.valid() && gone.sum() < most; at.go_on()) {
      if (wanted == at.value()) gone.add(at.index());
    }
  }
  gone.from_the_back(count < 0, [&](const ListRange& range) {
    context.keys.apply_as(ListErase{context.keys.db(), key, range.first, range.count}, range.count);
  });
  context.reply.integer(static_cast<std::int64_t>(gone.sum()));
  return {};
}

struct PositionOptions {
  std::int64_t rank = 1;
  std::optional<std::int64_t> count;  // nothing: one position and no array
  std::int64_t longest = 0;           // 0: compare all
};

std::int64_t not_negative(ArgReader& args, const char* otherwise) {
  const auto number = parse_integer(args.bytes());
  if (number && *number >= 0) return *number;
  args.fail(CommandError(otherwise));
  return 0;
}

std::int64_t read_rank(ArgReader& args) {
  const std::int64_t rank = args.integer();
  if (rank == 0) {
    args.fail(CommandError(
        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start "
        "from the end of the list"));
  }
  // The smallest number has no opposite; in Redis 7.0 it reads as the first match from the end.
  return rank == std::numeric_limits<std::int64_t>::min() ? -1 : rank;
}

PositionOptions read_position_options(ArgReader& args) {
  PositionOptions options;
  while (!args.done() && !args.failed()) {
    if (args.remaining() > 1 && args.keyword("rank")) {
      options.rank = read_rank(args);
    } else if (args.remaining() > 1 && args.keyword("count")) {
      options.count = not_negative(args, "ERR COUNT can't be negative");
    } else if (args.remaining() > 1 && args.keyword("maxlen")) {
      options.longest = not_negative(args, "ERR MAXLEN can't be negative");
    } else {
      args.fail(ErrorCode::Syntax);
    }
  }
  return options;
}

std::vector<std::size_t> positions_of(const ListView& list, const Wanted& wanted, const PositionOptions& options) {
  const bool backwards = options.rank < 0;
  std::uint64_t skipped = magnitude(options.rank) - 1;
  const std::uint64_t most = options.count.value_or(1) == 0 ? SIZE_MAX : static_cast<std::uint64_t>(*options.count);
  std::uint64_t compared = options.longest == 0 ? SIZE_MAX : static_cast<std::uint64_t>(options.longest);
  std::vector<std::size_t> found;
  for (Walk at(list, backwards); at.valid() && compared > 0 && found.size() < most; at.go_on(), --compared) {
    if (!(wanted == at.value())) continue;
    if (skipped > 0) {
      --skipped;
    } else {
      found.push_back(at.index());
    }
  }
  return found;
}

void reply_positions(resp::ReplyWriter& reply, const std::vector<std::size_t>& found, bool as_array) {
  if (as_array) reply.array(found.size());
  for (const std::size_t index : found) reply.integer(static_cast<std::int64_t>(index));
  if (!as_array && found.empty()) reply.null();
}

CommandResult lpos(CommandContext& context, ArgReader args) {
  const Key key = context.keys.key(args.bytes());
  const Wanted wanted(args.bytes());
  PositionOptions options = read_position_options(args);
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  auto list = context.keys.read_list(key);
  if (!list) return std::unexpected(std::move(list.error()));
  const bool as_array = options.count.has_value();
  if (!as_array) options.count = 1;
  reply_positions(context.reply, *list ? positions_of(**list, wanted, options) : std::vector<std::size_t>(), as_array);
  return {};
}

constexpr std::array kRows{
    CommandRow{.name = "linsert",
               .arity = 5,
               .flags = kWrite | kDenyOom,
               .keys = one_key("RW insert"),
               .categories = kCatList,
               .group = Group::List,
               .since = "2.2.0",
               .summary = "Insert an element before or after another element in a list",
               .complexity = "O(N) where N is the number of elements to traverse before seeing the value pivot. This "
                             "means that inserting somewhere on the left end on the list (head) can be considered "
                             "O(1) and inserting somewhere on the right end (tail) is O(N).",
               .handler = linsert,
               .arguments = "key:key#0 where:oneof(before:pure-token=BEFORE after:pure-token=AFTER) pivot element"},
    CommandRow{.name = "lpos",
               .arity = -3,
               .flags = kReadOnly,
               .keys = one_key("RO access"),
               .categories = kCatList,
               .group = Group::List,
               .since = "6.0.6",
               .summary = "Return the index of matching elements on a list",
               .complexity = "O(N) where N is the number of elements in the list, for the average case. When searching "
                             "for elements near the head or the tail of the list, or when the MAXLEN option is "
                             "provided, the command may run in constant time.",
               .handler = lpos,
               .arguments = "key:key#0 element rank:integer=RANK? num-matches:integer=COUNT? len:integer=MAXLEN?"},
    CommandRow{.name = "lrem",
               .arity = 4,
               .flags = kWrite,
               .keys = one_key("RW delete"),
               .categories = kCatList,
               .group = Group::List,
               .since = "1.0.0",
               .summary = "Remove elements from a list",
               .complexity = "O(N+M) where N is the length of the list and M is the number of elements removed.",
               .handler = lrem,
               .arguments = "key:key#0 count:integer element"},
};

}  // namespace

std::span<const CommandRow> list_search_commands() { return kRows; }

}  // namespace magpie::commands
