#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <utility>

#include "protocol/bytes.h"

namespace magpie::resp {

/// Errors that commands answer. Their texts, Redis's own, stand in command_error.cpp and nowhere else.
enum class ErrorCode : std::uint8_t {
  Custom,            // the text is carried by the error
  Syntax,            // ERR syntax error
  NotInteger,        // ERR value is not an integer or out of range
  NotFloat,          // ERR value is not a valid float
  WrongType,         // WRONGTYPE Operation against a key holding the wrong kind of value
  NoSuchKey,         // ERR no such key
  Overflow,          // ERR increment or decrement would overflow
  NanOrInfinity,     // ERR increment would produce NaN or Infinity
  StringTooLong,     // ERR string exceeds maximum allowed size (proto-max-bulk-len)
  OffsetOutOfRange,  // ERR offset is out of range
  DbOutOfRange,      // ERR DB index is out of range
  SameObject,        // ERR source and destination objects are the same
  NegativeTimeout,   // ERR timeout is negative
  InvalidTimeout,    // ERR timeout is not an integer or out of range
  InvalidCursor,     // ERR invalid cursor
  OutOfMemory,       // OOM command not allowed when used memory > 'maxmemory'.
  ExecAbort,         // EXECABORT Transaction discarded because of previous errors.
  NoAuth,            // NOAUTH Authentication required.
  WrongPassword,     // WRONGPASS invalid username-password pair or user is disabled.
  NoProto,           // NOPROTO unsupported protocol version
  NotPositive,       // ERR value is out of range, must be positive
};

/// The text after the '-', for example "ERR syntax error". Static.
ByteView text_of(ErrorCode code);

/// An error as a value: one of the known ones, or a text of its own ("ERR invalid expire time in 'set' command").
class [[nodiscard]] CommandError {
 public:
  CommandError(ErrorCode code) : code_(code) {}  // NOLINT(google-explicit-constructor): return ErrorCode::Syntax;
  explicit CommandError(std::string text)
      : code_(ErrorCode::Custom), custom_(std::make_unique<std::string>(std::move(text))) {}

  ErrorCode code() const { return code_; }
  /// Valid as long as this object.
  ByteView text() const { return custom_ ? ByteView(*custom_) : text_of(code_); }

 private:
  ErrorCode code_;
  std::unique_ptr<std::string> custom_;
};

}  // namespace magpie::resp
