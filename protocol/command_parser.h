#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/bytes.h"

namespace magpie::resp {

/// The arguments of one command, the command's name first. They borrow from the input buffer that was parsed (or, for
/// an inline command with quotes, from storage inside this object), so they are valid until that buffer moves and
/// until the next parse into the same object. One object is reused for many commands and allocates nothing then.
class Args {
 public:
  std::span<const ByteView> views() const { return views_; }
  std::size_t size() const { return views_.size(); }
  bool empty() const { return views_.empty(); }
  ByteView operator[](std::size_t index) const { return views_[index]; }

  /// Where arguments written with quotes or escapes live; the others lie in the input.
  ByteView storage() const { return unescaped_; }

  /// Forgets the arguments; memory beyond a small bound is returned.
  void clear();

 private:
  friend class CommandReader;  // the parser's insides, command_parser.cpp
  std::vector<ByteView> views_;
  std::string unescaped_;  // inline commands with quotes
};

struct ParseLimits {
  std::uint64_t max_bulk = std::uint64_t{512} << 20;  // bytes of one argument (proto-max-bulk-len)
  std::size_t max_inline = std::size_t{64} << 10;     // bytes of an inline command or of a length line
  std::int64_t max_args = INT_MAX;
  bool authenticated = true;  // false: 10 arguments of 16 KB at most, with error texts of their own
};

/// Where an unfinished command stands, so that its bytes are not looked at again when more arrive. Holds offsets from
/// the command's first byte, never addresses: the input may move between two calls. A default-constructed cursor means
/// "at the start of a command"; parse_command() resets it when a command is complete.
struct ParseCursor {
  std::size_t position = 0;       // bytes of the command that are understood
  std::int64_t args_left = 0;     // arguments still to come, 0 before the header was read
  std::int64_t bulk_length = -1;  // length of the argument being read, -1 before its length line
  std::vector<std::pair<std::size_t, std::size_t>> parsed;  // offset and size of the arguments so far
  std::size_t parsed_bytes = 0;                             // of these arguments together
  bool at_start() const { return position == 0; }
  /// Bytes that are arguments already, with their lengths, and no longer input. Of an inline command: none.
  std::size_t taken() const { return args_left > 0 ? position : 0; }
};

/// A whole command: `consumed` bytes of the input, `args` filled. No arguments at all (an empty line, `*0`) is a
/// command to be ignored.
struct Parsed {
  std::size_t consumed;
};
/// The input ends inside a command; the whole of what is understood so far needs at least `at_least` bytes of input,
/// counted from the command's first byte (a lower bound that lets the reader size its next buffer; 0: unknown). Inside
/// an argument it reaches to that argument's end, line end included. `args` is empty then.
struct NeedMore {
  std::size_t at_least;
};
/// The stream cannot be resynchronised: answer message() and close.
struct ProtocolError {
  enum class Kind : std::uint8_t {
    TooBigInline,          // "Protocol error: too big inline request"
    UnbalancedQuotes,      // "Protocol error: unbalanced quotes in request"
    TooBigCountLine,       // "Protocol error: too big mbulk count string"
    InvalidCount,          // "Protocol error: invalid multibulk length"
    UnauthenticatedCount,  // "Protocol error: unauthenticated multibulk length"
    TooBigBulkLine,        // "Protocol error: too big bulk count string"
    ExpectedDollar,        // "Protocol error: expected '$', got 'x'"
    InvalidBulkLength,     // "Protocol error: invalid bulk length"
    UnauthenticatedBulk,   // "Protocol error: unauthenticated bulk length"
  };
  Kind kind;
  char got = 0;  // for ExpectedDollar
  /// As Redis words it, without the leading "-ERR ".
  std::string message() const;
};

using ParseOutcome = std::variant<Parsed, NeedMore, ProtocolError>;

/// Reads one command (RESP array of bulk strings, or inline) from the start of `input`. A pure function of its
/// arguments: `input` must start at the same command as in the previous call with this cursor, with at least the same
/// bytes. Source: Redis serialization protocol specification; limits and texts as redis-server 7.0 has them.
ParseOutcome parse_command(ByteView input, const ParseLimits& limits, ParseCursor& progress, Args& args);

}  // namespace magpie::resp
