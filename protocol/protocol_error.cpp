#include <string>

#include "protocol/command_parser.h"

namespace magpie::resp {

std::string ProtocolError::message() const {
  switch (kind) {
    case Kind::TooBigInline:
      return "Protocol error: too big inline request";
    case Kind::UnbalancedQuotes:
      return "Protocol error: unbalanced quotes in request";
    case Kind::TooBigCountLine:
      return "Protocol error: too big mbulk count string";
    case Kind::InvalidCount:
      return "Protocol error: invalid multibulk length";
    case Kind::UnauthenticatedCount:
      return "Protocol error: unauthenticated multibulk length";
    case Kind::TooBigBulkLine:
      return "Protocol error: too big bulk count string";
    case Kind::ExpectedDollar: {
      // Stays on one line, as Redis's error replies do.
      const char shown = got == '\r' || got == '\n' ? ' ' : got;
      return std::string("Protocol error: expected '$', got '") + shown + "'";
    }
    case Kind::InvalidBulkLength:
      return "Protocol error: invalid bulk length";
    case Kind::UnauthenticatedBulk:
      return "Protocol error: unauthenticated bulk length";
  }
  return "Protocol error";
}

}  // namespace magpie::resp
