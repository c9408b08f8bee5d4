#include "protocol/reply_reader.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "protocol/numbers.h"

namespace magpie::resp {
namespace {

constexpr std::size_t kLongestNumberLine = 32;  // lengths, counts and integers
constexpr std::size_t kReservedElements = 64;   // more room comes with the elements

/// One call of read_reply(): a recursive descent that stops at the first byte missing or wrong.
class ReplyParser {
 public:
  ReplyParser(ByteView input, const ReplyLimits& limits) : input_(input), limits_(limits) {}

  bool read(Reply& reply, std::size_t depth);
  ReplyOutcome outcome(bool read_whole) const {
    if (read_whole) return ReplyParsed{position_};
    if (reason_ != nullptr) return ReplyMalformed{reason_};
    return ReplyNeedMore{};
  }

 private:
  // All of these: false if bytes are missing, or, with a reason, wrong.
  bool malformed(const char* reason) {
    reason_ = reason;
    return false;
  }
  bool read_line(std::size_t longest, ByteView& line);
  bool read_number(std::int64_t& value);
  bool read_text(Reply& reply, Reply::Type type);
  bool read_integer(Reply& reply);
  bool read_null(Reply& reply);
  bool read_boolean(Reply& reply);
  bool read_real(Reply& reply);
  bool read_big_number(Reply& reply);
  bool read_blob(Reply& reply, Reply::Type type);
  bool read_aggregate(Reply& reply, Reply::Type type, std::size_t depth);
  bool read_element(Reply& element, std::size_t depth);

  ByteView input_;
  const ReplyLimits& limits_;
  std::size_t position_ = 0;
  const char* reason_ = nullptr;
};

bool ReplyParser::read(Reply& reply, std::size_t depth) {
  using Type = Reply::Type;
  if (position_ == input_.size()) return false;
  switch (input_[position_++]) {
    case '+':
      return read_text(reply, Type::Simple);
    case '-':
      return read_text(reply, Type::Error);
    case ':':
      return read_integer(reply);
    case '$':
      return read_blob(reply, Type::Bulk);
    case '*':
      return read_aggregate(reply, Type::Array, depth);
    case '_':
      return read_null(reply);
    case '#':
      return read_boolean(reply);
    case ',':
      return read_real(reply);
    case '(':
      return read_big_number(reply);
    case '!':
      return read_blob(reply, Type::BlobError);
    case '=':
      return read_blob(reply, Type::Verbatim);
    case '%':
      return read_aggregate(reply, Type::Map, depth);
    case '~':
      return read_aggregate(reply, Type::Set, depth);
    case '>':
      return read_aggregate(reply, Type::Push, depth);
    case '|':
      return read_aggregate(reply, Type::Attribute, depth);
    default:
      return malformed("unknown type byte");
  }
}

bool ReplyParser::read_line(std::size_t longest, ByteView& line) {
  const ByteView rest = input_.substr(position_);
  const std::size_t end = rest.substr(0, longest < rest.size() ? longest + 1 : rest.size()).find('\r');
  if (end == ByteView::npos) return rest.size() > longest ? malformed("line too long") : false;
  if (end + 1 == rest.size()) return false;
  if (rest[end + 1] != '\n') return malformed("CR without LF");
  line = rest.substr(0, end);
  position_ += end + 2;
  return true;
}

bool ReplyParser::read_number(std::int64_t& value) {
  ByteView line;
  if (!read_line(kLongestNumberLine, line)) return false;
  if (line.starts_with('+') && !line.starts_with("+-")) line.remove_prefix(1);  // the specification allows it
  const auto number = parse_integer(line);
  if (!number) return malformed("not a number");
  value = *number;
  return true;
}

bool ReplyParser::read_text(Reply& reply, Reply::Type type) {
  ByteView line;
  if (!read_line(limits_.max_bulk, line)) return false;
  reply.type = type;
  reply.text = line;
  return true;
}

bool ReplyParser::read_integer(Reply& reply) {
  reply.type = Reply::Type::Integer;
  return read_number(reply.integer);
}

bool ReplyParser::read_null(Reply& reply) {
  ByteView line;
  if (!read_line(kLongestNumberLine, line)) return false;
  reply.type = Reply::Type::Null;
  return line.empty() || malformed("null with a value");
}

bool ReplyParser::read_boolean(Reply& reply) {
  ByteView line;
  if (!read_line(kLongestNumberLine, line)) return false;
  if (line != "t" && line != "f") return malformed("not a boolean");
  reply.type = Reply::Type::Boolean;
  reply.integer = line == "t" ? 1 : 0;
  return true;
}

bool ReplyParser::read_real(Reply& reply) {
  if (!read_text(reply, Reply::Type::Real)) return false;
  if (const auto value = parse_double(reply.text)) {
    reply.real = *value;
    return true;
  }
  if (reply.text != "nan" && reply.text != "-nan") return malformed("not a double");
  reply.real = std::numeric_limits<double>::quiet_NaN();
  return true;
}

bool ReplyParser::read_big_number(Reply& reply) {
  if (!read_text(reply, Reply::Type::BigNumber)) return false;
  ByteView digits = reply.text;
  if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
  const bool good = !digits.empty() && digits.find_first_not_of("0123456789") == ByteView::npos;
  return good || malformed("not a big number");
}

bool ReplyParser::read_blob(Reply& reply, Reply::Type type) {
  std::int64_t length = 0;
  if (!read_number(length)) return false;
  if (length == -1 && type == Reply::Type::Bulk) {
    reply.type = Reply::Type::Null;
    return true;
  }
  if (length < 0 || static_cast<std::uint64_t>(length) > limits_.max_bulk) return malformed("invalid bulk length");
  const auto size = static_cast<std::size_t>(length);
  const ByteView rest = input_.substr(position_);
  if (rest.size() < size + 2) return false;
  if (rest.substr(size, 2) != "\r\n") return malformed("bulk without line end");
  if (type == Reply::Type::Verbatim && (size < 4 || rest[3] != ':')) return malformed("verbatim without format");
  reply.type = type;
  reply.text = rest.substr(0, size);
  position_ += size + 2;
  return true;
}

bool ReplyParser::read_aggregate(Reply& reply, Reply::Type type, std::size_t depth) {
  std::int64_t count = 0;
  if (!read_number(count)) return false;
  if (count == -1 && type == Reply::Type::Array) {
    reply.type = Reply::Type::Null;
    return true;
  }
  const bool paired = type == Reply::Type::Map || type == Reply::Type::Attribute;
  const std::size_t most = paired ? limits_.max_elements / 2 : limits_.max_elements;
  if (count < 0 || static_cast<std::uint64_t>(count) > most) return malformed("invalid aggregate length");
  if (depth == limits_.max_depth) return malformed("nested too deeply");
  const std::size_t elements = static_cast<std::size_t>(count) * (paired ? 2 : 1);
  reply.type = type;
  reply.elements.reserve(std::min(elements, kReservedElements));
  for (std::size_t index = 0; index < elements; ++index) {
    if (!read_element(reply.elements.emplace_back(), depth + 1)) return false;
  }
  return true;
}

bool ReplyParser::read_element(Reply& element, std::size_t depth) {
  while (position_ < input_.size() && input_[position_] == '|') {
    Reply attribute;
    if (!read(attribute, depth)) return false;
  }
  return read(element, depth);
}

}  // namespace

ReplyOutcome read_reply(ByteView input, const ReplyLimits& limits, Reply& reply) {
  reply = Reply{};
  ReplyParser parser(input, limits);
  return parser.outcome(parser.read(reply, 0));
}

}  // namespace magpie::resp
