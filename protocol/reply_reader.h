#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "protocol/bytes.h"

namespace magpie::resp {

/// One reply as a tree that owns its bytes: what tests and the client library look at.
struct Reply {
  enum class Type : std::uint8_t {
    Simple,
    Error,
    Integer,
    Bulk,
    Null,
    Array,
    Map,
    Set,
    Push,
    Attribute,
    Boolean,
    Real,
    BigNumber,
    BlobError,
    Verbatim
  };
  Type type = Type::Null;
  std::int64_t integer = 0;  // Integer; Boolean as 0 or 1
  double real = 0;           // Real
  std::string text;  // Simple, Error, Bulk, BigNumber, BlobError, Verbatim (with its "txt:" prefix), Real as sent
  std::vector<Reply> elements;  // Array, Set, Push; Map and Attribute: key, value, key, value ...
};

struct ReplyLimits {
  std::size_t max_bulk = std::size_t{512} << 20;
  std::size_t max_elements = std::size_t{1} << 30;  // of one aggregate; memory is taken only as elements arrive
  std::size_t max_depth = 32;
};

struct ReplyParsed {
  std::size_t consumed;
};
struct ReplyNeedMore {};
struct ReplyMalformed {
  const char* reason;  // static text
};
using ReplyOutcome = std::variant<ReplyParsed, ReplyNeedMore, ReplyMalformed>;

/// Reads one RESP2 or RESP3 reply from the start of `input`. Pure; keeps nothing between calls: an unfinished reply is
/// read again from its start. `reply` is complete after ReplyParsed only. An attribute at the start is a reply of its
/// own, to be followed by another; attributes of elements inside an aggregate are read and dropped. Streamed aggregates
/// and strings (`*?`, `$?`) are malformed: no server here sends them.
ReplyOutcome read_reply(ByteView input, const ReplyLimits& limits, Reply& reply);

}  // namespace magpie::resp
