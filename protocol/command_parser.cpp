#include "protocol/command_parser.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <expected>
#include <optional>

#include "protocol/inline_arguments.h"
#include "protocol/numbers.h"

namespace magpie::resp {
namespace {

constexpr std::size_t kKeptArgs = 1024;       // views that an Args object keeps between two commands
constexpr std::size_t kKeptUnescaped = 4096;  // bytes, likewise
constexpr std::size_t kKeptOffsets = 64;      // a cursor stays with an idle connection: keep less
constexpr std::int64_t kUnauthenticatedArgs = 10;
constexpr std::uint64_t kUnauthenticatedBulk = 16384;
constexpr std::int64_t kMostShort = 9;      // arguments of a command that is read the short way, and
constexpr std::uint64_t kLongestShort = 99;  // their longest: whoever has not authenticated may send them too
constexpr std::size_t kLineEnd = 2;         // "\r\n"
constexpr std::ptrdiff_t kPlainDigits = 9;  // longer lengths take the careful path

/// The first `wanted` in [begin, end), or nullptr. As in Redis, which searches with strchr, a NUL byte hides all that
/// follows it: such a line never ends, until it is too long. `scanned` is where the search has to go on.
const char* find_line_end(const char* begin, const char* end, char wanted, const char** scanned = nullptr) {
  const auto size = [&] { return static_cast<std::size_t>(end - begin); };
  const char* found = nullptr;
  if (begin != end) found = static_cast<const char*>(std::memchr(begin, wanted, size()));
  if (found != nullptr) end = found;
  const void* nul = begin == end ? nullptr : std::memchr(begin, '\0', size());
  if (scanned != nullptr) *scanned = nul != nullptr ? static_cast<const char*>(nul) : end;
  return nul != nullptr ? nullptr : found;
}

/// The usual length line, behind its first byte: up to nine digits, '\r' and one byte more. Returns where the next line
/// starts, or nullptr for anything else, which the careful path looks at again.
inline const char* plain_length(const char* begin, const char* end, std::int64_t& value) {
  if (end - begin > 3 && begin[1] == '\r') {  // most lengths are of one digit or two
    const unsigned digit = static_cast<unsigned char>(*begin) - unsigned{'0'};
    value = digit;
    return digit <= 9 ? begin + 1 + kLineEnd : nullptr;
  }
  std::int64_t sum = 0;
  const char* const stop = end - begin > kPlainDigits + 1 ? begin + kPlainDigits + 1 : end - 1;
  for (const char* at = begin; at < stop; ++at) {
    const unsigned digit = static_cast<unsigned char>(*at) - unsigned{'0'};
    if (digit > 9) {
      if (*at != '\r' || at == begin || (*begin == '0' && at - begin > 1)) return nullptr;
      value = sum;
      return at + kLineEnd;
    }
    sum = sum * 10 + digit;
  }
  return nullptr;
}

/// A length of one digit or two after `type`, and its line end; moves `at` behind it. False if it is something else, or
/// not all here, or may be followed by nothing.
inline bool short_length(const char*& at, const char* end, unsigned type, std::size_t& value) {
  static_assert(std::endian::native == std::endian::little, "the line is looked at as a number");
  constexpr std::ptrdiff_t kLongest = 5;  // "$12\r\n"
  constexpr std::uint32_t kReturn = '\r';
  if (end - at < kLongest) return false;
  std::uint32_t line = 0;
  std::memcpy(&line, at, sizeof line);
  const unsigned first = (line >> 8 & 0xff) - unsigned{'0'};
  if ((line & 0x00ff00ff) == (type | kReturn << 16)) {
    value = first;
    at += kLongest - 1;
    return first <= 9;
  }
  const unsigned second = (line >> 16 & 0xff) - unsigned{'0'};
  value = std::size_t{first} * 10 + second;
  at += kLongest;
  return (line & 0xff0000ff) == (type | kReturn << 24) && first - 1 <= 8 && second <= 9;
}

}  // namespace

void Args::clear() {
  views_.clear();
  unescaped_.clear();
  if (views_.capacity() > kKeptArgs) std::vector<ByteView>().swap(views_);
  if (unescaped_.capacity() > kKeptUnescaped) std::string().swap(unescaped_);
}

/// One call of parse_command(). The arguments found in this call gather in the views of `args`; if the command does not
/// end here they become offsets in the cursor, and the views are rebuilt once, when it does.
class CommandReader {
 public:
  CommandReader(ByteView input, const ParseLimits& limits, ParseCursor& progress, Args& args)
      : begin_(input.data()),
        end_(input.data() + input.size()),
        limits_(limits),
        progress_(progress),
        args_(args),
        max_bulk_(limits.authenticated ? limits.max_bulk : std::min(limits.max_bulk, kUnauthenticatedBulk)) {}

  /// A whole command of few and short arguments, as most are: how long it is. 0 if it is not one; read_array() then
  /// looks again.
  static std::size_t read_short(ByteView input, Args& args);
  ParseOutcome read_array();
  ParseOutcome read_inline();

 private:
  enum class LineState : std::uint8_t { Whole, Incomplete, TooBig };
  struct Line {
    LineState state;
    const char* next = nullptr;  // behind the line
    std::optional<std::int64_t> value = {};  // nothing: not a number
  };

  struct Length {
    const char* next;  // behind the line; nullptr: the line is wrong or not whole, a stop_at_...() says which
    std::int64_t value;
  };

  Length read_count(const char* at) const;
  Length read_bulk_length(const char* at) const;
  Length careful_count(const char* at) const;
  Length careful_bulk_length(const char* at) const;
  ParseOutcome stop_at_count(const char* at);
  ParseOutcome stop_at_bulk_line(const char* at, std::int64_t args_left);
  Line careful_line(const char* at) const;
  std::optional<ProtocolError> bad_count(const Line& line) const;
  std::optional<ProtocolError> bad_bulk_line(const char* at, const Line& line) const;

  ParseOutcome complete(const char* at);
  ParseOutcome suspend(const char* at, std::int64_t args_left, std::int64_t bulk_length);
  ParseOutcome fail(ProtocolError error);
  void reset_progress();

  const char* const begin_;
  const char* const end_;
  const ParseLimits& limits_;
  ParseCursor& progress_;
  Args& args_;
  const std::uint64_t max_bulk_;
};

inline CommandReader::Length CommandReader::read_count(const char* at) const {
  const std::int64_t max_args = limits_.authenticated ? limits_.max_args : kUnauthenticatedArgs;
  std::int64_t count = 0;
  const char* const next = plain_length(at + 1, end_, count);
  if (next == nullptr || count > std::min(max_args, limits_.max_args)) [[unlikely]] {
    return careful_count(at);
  }
  return {next, count};
}

inline CommandReader::Length CommandReader::read_bulk_length(const char* at) const {
  std::int64_t length = 0;
  const char* const next = end_ - at > 3 && *at == '$' ? plain_length(at + 1, end_, length) : nullptr;
  if (next == nullptr || static_cast<std::uint64_t>(length) > max_bulk_) [[unlikely]] {
    return careful_bulk_length(at);
  }
  return {next, length};
}

inline std::size_t CommandReader::read_short(ByteView input, Args& args) {
  const char* at = input.data();
  const char* const end = at + input.size();
  std::size_t count = 0;
  if (!short_length(at, end, '*', count) || count - 1 >= std::size_t{kMostShort}) return 0;
  if (args.views_.size() != count) {  // usually the command before had as many
    args.clear();
    args.views_.resize(count);
  }
  for (ByteView& view : args.views_) {
    std::size_t length = 0;
    if (!short_length(at, end, '$', length) || static_cast<std::size_t>(end - at) < length + kLineEnd) return 0;
    view = ByteView(at, length);
    at += length + kLineEnd;
  }
  if (!args.unescaped_.empty()) [[unlikely]] {
    args.unescaped_.clear();
  }
  return static_cast<std::size_t>(at - input.data());
}

ParseOutcome CommandReader::read_array() {
  const char* at = begin_ + progress_.position;
  std::int64_t args_left = progress_.args_left;
  std::int64_t length = progress_.bulk_length;
  if (args_left == 0) {
    const Length count = read_count(at);
    if (count.next == nullptr) [[unlikely]] {
      return stop_at_count(at);
    }
    at = count.next;
    args_left = count.value;
  }
  for (; args_left > 0; --args_left) {
    if (length < 0) {
      const Length bulk = read_bulk_length(at);
      if (bulk.next == nullptr) [[unlikely]] {
        return stop_at_bulk_line(at, args_left);
      }
      at = bulk.next;
      length = bulk.value;
    }
    const auto bytes = static_cast<std::size_t>(length);
    if (static_cast<std::size_t>(end_ - at) < bytes + kLineEnd) return suspend(at, args_left, length);
    args_.views_.emplace_back(at, bytes);
    at += bytes + kLineEnd;  // what stands in place of "\r\n" is not looked at, as in Redis
    length = -1;
  }
  return complete(at);
}

CommandReader::Length CommandReader::careful_count(const char* at) const {
  const Line line = careful_line(at);
  if (line.state != LineState::Whole || bad_count(line)) return {nullptr, 0};
  return {line.next, *line.value};
}

CommandReader::Length CommandReader::careful_bulk_length(const char* at) const {
  const Line line = careful_line(at);
  if (line.state != LineState::Whole || bad_bulk_line(at, line)) return {nullptr, 0};
  return {line.next, *line.value};
}

ParseOutcome CommandReader::stop_at_count(const char* at) {
  const Line line = careful_line(at);
  if (line.state == LineState::Incomplete) return suspend(at, 0, -1);
  return fail(*bad_count(line));
}

ParseOutcome CommandReader::stop_at_bulk_line(const char* at, std::int64_t args_left) {
  const Line line = careful_line(at);
  if (line.state == LineState::Incomplete) return suspend(at, args_left, -1);
  return fail(*bad_bulk_line(at, line));
}

/// A length line of any form, together with its first byte.
CommandReader::Line CommandReader::careful_line(const char* at) const {
  const char* const line_end = find_line_end(at, end_, '\r');
  // A line that came in one piece fails where the same line would have failed arriving byte by byte.
  if (static_cast<std::size_t>((line_end != nullptr ? line_end : end_) - at) > limits_.max_inline) {
    return {LineState::TooBig};
  }
  if (line_end == nullptr || end_ - line_end < 2) return {LineState::Incomplete};
  const ByteView number = line_end == at ? ByteView{} : ByteView(at + 1, static_cast<std::size_t>(line_end - at - 1));
  return {LineState::Whole, line_end + kLineEnd, parse_integer(number)};
}

std::optional<ProtocolError> CommandReader::bad_count(const Line& line) const {
  using Kind = ProtocolError::Kind;
  if (line.state == LineState::TooBig) return ProtocolError{Kind::TooBigCountLine};
  if (!line.value || *line.value > limits_.max_args) return ProtocolError{Kind::InvalidCount};
  if (!limits_.authenticated && *line.value > kUnauthenticatedArgs) return ProtocolError{Kind::UnauthenticatedCount};
  return std::nullopt;
}

std::optional<ProtocolError> CommandReader::bad_bulk_line(const char* at, const Line& line) const {
  using Kind = ProtocolError::Kind;
  if (line.state == LineState::TooBig) return ProtocolError{Kind::TooBigBulkLine};
  if (*at != '$') return ProtocolError{Kind::ExpectedDollar, *at};
  if (!line.value || *line.value < 0) return ProtocolError{Kind::InvalidBulkLength};
  const auto length = static_cast<std::uint64_t>(*line.value);
  if (length > limits_.max_bulk) return ProtocolError{Kind::InvalidBulkLength};
  if (!limits_.authenticated && length > kUnauthenticatedBulk) return ProtocolError{Kind::UnauthenticatedBulk};
  return std::nullopt;
}

inline ParseOutcome CommandReader::complete(const char* at) {
  if (!progress_.at_start()) [[unlikely]] {
    auto& views = args_.views_;
    views.insert(views.begin(), progress_.parsed.size(), ByteView{});
    std::ranges::transform(progress_.parsed, views.begin(),
                           [this](const auto& part) { return ByteView(begin_ + part.first, part.second); });
    reset_progress();
  }
  return Parsed{static_cast<std::size_t>(at - begin_)};
}

ParseOutcome CommandReader::suspend(const char* at, std::int64_t args_left, std::int64_t bulk_length) {
  progress_.position = static_cast<std::size_t>(at - begin_);
  progress_.args_left = args_left;
  progress_.bulk_length = bulk_length;
  for (const ByteView view : args_.views_) {
    progress_.parsed.emplace_back(static_cast<std::size_t>(view.data() - begin_), view.size());
    progress_.parsed_bytes += view.size();
  }
  args_.clear();
  if (bulk_length < 0) return NeedMore{0};
  return NeedMore{progress_.position + static_cast<std::size_t>(bulk_length) + kLineEnd};
}

ParseOutcome CommandReader::fail(ProtocolError error) {
  args_.clear();
  reset_progress();
  return error;
}

void CommandReader::reset_progress() {
  progress_.position = 0;
  progress_.args_left = 0;
  progress_.bulk_length = -1;
  progress_.parsed_bytes = 0;
  progress_.parsed.clear();
  if (progress_.parsed.capacity() > kKeptOffsets) decltype(progress_.parsed)().swap(progress_.parsed);
}

ParseOutcome CommandReader::read_inline() {
  const char* scanned = nullptr;
  const char* const newline = find_line_end(begin_ + progress_.position, end_, '\n', &scanned);
  if (static_cast<std::size_t>((newline != nullptr ? newline : end_) - begin_) > limits_.max_inline) {
    return fail({ProtocolError::Kind::TooBigInline});
  }
  if (newline == nullptr) {
    progress_.position = static_cast<std::size_t>(scanned - begin_);
    return NeedMore{0};
  }
  const char* line_end = newline;
  if (line_end != begin_ && line_end[-1] == '\r') --line_end;
  if (!split_inline({begin_, static_cast<std::size_t>(line_end - begin_)}, args_.views_, args_.unescaped_))
    return fail({ProtocolError::Kind::UnbalancedQuotes});
  reset_progress();
  return Parsed{static_cast<std::size_t>(newline + 1 - begin_)};
}

ParseOutcome parse_command(ByteView input, const ParseLimits& limits, ParseCursor& progress, Args& args) {
  if (kShortCuts && progress.at_start() && limits.max_bulk >= kLongestShort && limits.max_args >= kMostShort)
      [[likely]] {
    if (const std::size_t consumed = CommandReader::read_short(input, args); consumed > 0) [[likely]] {
      return Parsed{consumed};
    }
  }
  args.clear();
  if (input.empty()) return NeedMore{0};
  CommandReader reader(input, limits, progress, args);
  return input.front() == '*' ? reader.read_array() : reader.read_inline();
}

}  // namespace magpie::resp
