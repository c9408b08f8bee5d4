#include "protocol/command_error.h"

namespace magpie::resp {

ByteView text_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::Custom:
      return "ERR";
    case ErrorCode::Syntax:
      return "ERR syntax error";
    case ErrorCode::NotInteger:
      return "ERR value is not an integer or out of range";
    case ErrorCode::NotFloat:
      return "ERR value is not a valid float";
    case ErrorCode::WrongType:
      return "WRONGTYPE Operation against a key holding the wrong kind of value";
    case ErrorCode::NoSuchKey:
      return "ERR no such key";
    case ErrorCode::Overflow:
      return "ERR increment or decrement would overflow";
    case ErrorCode::NanOrInfinity:
      return "ERR increment would produce NaN or Infinity";
    case ErrorCode::StringTooLong:
      return "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    case ErrorCode::OffsetOutOfRange:
      return "ERR offset is out of range";
    case ErrorCode::DbOutOfRange:
      return "ERR DB index is out of range";
    case ErrorCode::SameObject:
      return "ERR source and destination objects are the same";
    case ErrorCode::NegativeTimeout:
      return "ERR timeout is negative";
    case ErrorCode::InvalidTimeout:
      return "ERR timeout is not an integer or out of range";
    case ErrorCode::InvalidCursor:
      return "ERR invalid cursor";
    case ErrorCode::OutOfMemory:
      return "OOM command not allowed when used memory > 'maxmemory'.";
    case ErrorCode::ExecAbort:
      return "EXECABORT Transaction discarded because of previous errors.";
    case ErrorCode::NoAuth:
      return "NOAUTH Authentication required.";
    case ErrorCode::WrongPassword:
      return "WRONGPASS invalid username-password pair or user is disabled.";
    case ErrorCode::NoProto:
      return "NOPROTO unsupported protocol version";
    case ErrorCode::NotPositive:
      return "ERR value is out of range, must be positive";
  }
  return "ERR";
}

}  // namespace magpie::resp
