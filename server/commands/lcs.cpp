#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <new>
#include <vector>

#include "server/commands/command_table.h"
#include "server/commands/context.h"

namespace magpie::commands {
namespace {

using engine::IntegerScratch;

struct Options {
  bool length = false;
  bool index = false;
  bool with_match_length = false;
  std::int64_t least_match = 0;
};

/// A run that both strings share; ends are inclusive.
struct Match {
  std::size_t a_start, a_end;
  std::size_t b_start, b_end;

  std::int64_t length() const { return static_cast<std::int64_t>(a_end - a_start + 1); }
};

/// The table of the textbook algorithm: at(i, j) is the length of the longest common subsequence of the first i bytes
/// of a and the first j of b.
class LengthTable {
 public:
  /// `cells` holds (a.size() + 1) * (b.size() + 1) numbers.
  LengthTable(ByteView a, ByteView b, std::uint32_t* cells) : a_(a), b_(b), cells_(cells) {
    std::fill_n(cells_, b_.size() + 1, 0);
    for (std::size_t i = 1; i <= a_.size(); ++i) {
      const std::uint32_t* const above = &cells_[(i - 1) * (b_.size() + 1)];
      std::uint32_t* const row = &cells_[i * (b_.size() + 1)];
      row[0] = 0;
      for (std::size_t j = 1; j <= b_.size(); ++j) {
        row[j] = a_[i - 1] == b_[j - 1] ? above[j - 1] + 1 : std::max(above[j], row[j - 1]);
      }
    }
  }

  std::uint32_t length() const { return at(a_.size(), b_.size()); }
  /// The subsequence itself; its runs are appended to `matches`, from the end backwards.
  std::string trace(std::vector<Match>& matches) const;

 private:
  std::uint32_t at(std::size_t i, std::size_t j) const { return cells_[i * (b_.size() + 1) + j]; }

  ByteView a_;
  ByteView b_;
  std::uint32_t* cells_;
};

std::string LengthTable::trace(std::vector<Match>& matches) const {
  std::string common(length(), '\0');
  std::size_t left = common.size();
  bool open = false;  // whether the last match goes on
  std::size_t i = a_.size();
  std::size_t j = b_.size();
  while (i > 0 && j > 0) {
    if (a_[i - 1] == b_[j - 1]) {
      --i;
      --j;
      common[--left] = a_[i];
      if (!open) matches.push_back({i, i, j, j});
      matches.back().a_start = i;
      matches.back().b_start = j;
      open = true;
    } else {
      open = false;
      if (at(i - 1, j) > at(i, j - 1)) {
        --i;
      } else {
        --j;
      }
    }
  }
  return common;
}

Options read_lcs_options(ArgReader& args) {
  Options options;
  while (!args.done() && !args.failed()) {
    if (args.keyword("IDX")) {
      options.index = true;
    } else if (args.keyword("LEN")) {
      options.length = true;
    } else if (args.keyword("WITHMATCHLEN")) {
      options.with_match_length = true;
    } else if (args.remaining() > 1 && args.keyword("MINMATCHLEN")) {
      options.least_match = args.integer();
    } else {
      args.fail(ErrorCode::Syntax);
    }
  }
  return options;
}

void reply_range(resp::ReplyWriter& reply, std::size_t start, std::size_t end) {
  reply.array(2);
  reply.integer(static_cast<std::int64_t>(start));
  reply.integer(static_cast<std::int64_t>(end));
}

void reply_matches(resp::ReplyWriter& reply, const LengthTable& table, const Options& options) {
  std::vector<Match> matches;
  table.trace(matches);
  std::erase_if(matches, [&](const Match& match) { return match.length() < options.least_match; });
  reply.map(2);
  reply.bulk("matches");
  reply.array(matches.size());
  for (const Match& match : matches) {
    reply.array(options.with_match_length ? 3 : 2);
    reply_range(reply, match.a_start, match.a_end);
    reply_range(reply, match.b_start, match.b_end);
    if (options.with_match_length) reply.integer(match.length());
  }
  reply.bulk("len");
  reply.integer(table.length());
}

void reply_result(resp::ReplyWriter& reply, const LengthTable& table, const Options& options) {
  if (options.index) return reply_matches(reply, table, options);
  if (options.length) return reply.integer(table.length());
  std::vector<Match> unused;
  reply.bulk(table.trace(unused));
}

CommandResult lcs(CommandContext& context, ArgReader args) {
  auto first = context.keys.read_string(context.keys.key(args.bytes()));
  auto second = context.keys.read_string(context.keys.key(args.bytes()));
  if (!first || !second) return error("ERR The specified keys must contain string values");
  const Options options = read_lcs_options(args);
  if (auto wrong = args.finish()) return std::unexpected(std::move(*wrong));
  if (options.index && options.length) {
    return error("ERR If you want both the length and indexes, please just use IDX.");
  }
  std::array<IntegerScratch, 2> scratch;
  const ByteView a = *first ? text_of(**first, scratch[0]) : ByteView{};
  const ByteView b = *second ? text_of(**second, scratch[1]) : ByteView{};
  constexpr std::size_t kMostLength = std::numeric_limits<std::uint32_t>::max() - 1;  // the products below fit 64 bits
  if (a.size() >= kMostLength || b.size() >= kMostLength) return error("ERR String too long for LCS");
  const std::uint64_t cells = (std::uint64_t{a.size()} + 1) * (b.size() + 1);
  if (cells > static_cast<std::uint64_t>(context.settings.proto_max_bulk_len) / sizeof(std::uint32_t)) {
    return error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  }
  const std::unique_ptr<std::uint32_t[]> memory(new (std::nothrow) std::uint32_t[cells]);
  if (memory == nullptr) return error("ERR Insufficient memory, failed allocating transient memory for LCS");
  reply_result(context.reply, LengthTable(a, b, memory.get()), options);
  return {};
}

constexpr std::array kRows{
    CommandRow{.name = "lcs",
               .arity = -3,
               .flags = kReadOnly,
               .keys = {.first = 1, .last = 2, .step = 1, .flags = "RO access"},
               .categories = kCatString,
               .group = Group::String,
               .since = "7.0.0",
               .summary = "Find longest common substring",
               .complexity = "O(N*M) where N and M are the lengths of s1 and s2, respectively",
               .handler = lcs,
               .arguments = "key1:key#0 key2:key#0 len:pure-token=LEN? idx:pure-token=IDX? len:integer=MINMATCHLEN? "
                            "withmatchlen:pure-token=WITHMATCHLEN?"},
};

}  // namespace

std::span<const CommandRow> lcs_commands() { return kRows; }

}  // namespace magpie::commands
