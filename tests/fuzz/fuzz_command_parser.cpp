// A stream of commands reads the same whole, cut in two and byte by byte; every view lies in the input or in the
// arguments' own storage; NeedMore never asks for too much. The first byte of an input chooses the limits.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <variant>

#include "protocol/command_parser.h"
#include "tests/protocol/command_text.h"

namespace {

using namespace magpie::resp;  // NOLINT(google-build-using-namespace): one file about one namespace
using magpie::ByteView;

constexpr std::size_t kBytewise = 2048;  // feeding byte by byte takes quadratic time

void require(bool condition) {
  if (!condition) std::abort();
}

ParseLimits limits_from(unsigned choice) {
  ParseLimits limits;
  limits.authenticated = (choice & 1U) != 0;
  if ((choice & 2U) != 0) {
    limits.max_bulk = 100;
    limits.max_inline = 40;
    limits.max_args = 20;
  }
  return limits;
}

bool within(ByteView part, ByteView whole) {
  const std::less_equal<const char*> not_behind;
  return not_behind(whole.data(), part.data()) && not_behind(part.data() + part.size(), whole.data() + whole.size());
}

void check_views(ByteView input, const ParseLimits& limits) {
  ParseCursor cursor;
  Args args;
  while (!input.empty()) {
    const auto outcome = parse_command(input, limits, cursor, args);
    const auto* parsed = std::get_if<Parsed>(&outcome);
    if (parsed == nullptr) {
      require(args.empty());
      return;
    }
    require(cursor.at_start() && cursor.parsed.empty());
    require(parsed->consumed > 0 && parsed->consumed <= input.size());
    for (const ByteView view : args.views()) {
      require(within(view, input.substr(0, parsed->consumed)) || within(view, args.storage()));
    }
    input.remove_prefix(parsed->consumed);
  }
}

void check_bytewise(std::string_view stream, const ParseLimits& limits, const Conversation& whole) {
  Conversing conversing(limits);
  std::size_t wanted = 0;  // bytes of the current command without which it cannot be complete
  for (const char byte : stream) {
    const std::size_t commands = conversing.conversation().commands.size();
    const std::size_t pending = conversing.pending() + 1;
    conversing.feed({&byte, 1});
    if (conversing.conversation().commands.size() > commands) {
      require(pending >= wanted);
      wanted = 0;
    } else if (conversing.conversation().error.empty()) {
      if (pending < wanted) require(conversing.at_least() == wanted);
      wanted = conversing.at_least();
      require(wanted == 0 || wanted > pending);
    } else {
      require(pending > wanted || wanted == 0);
    }
  }
  require(conversing.conversation() == whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ParseLimits limits = limits_from(data[0]);
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_views(stream, limits);
  const Conversation whole = converse(stream, limits);
  // Some split points of a long input, all of a short one.
  const std::size_t step = 1 + stream.size() / 64;
  for (std::size_t split = data[0] % step; split <= stream.size(); split += step) {
    Conversing conversing(limits);
    conversing.feed(stream.substr(0, split));
    conversing.feed(stream.substr(split));
    require(conversing.conversation() == whole);
  }
  if (stream.size() <= kBytewise) check_bytewise(stream, limits, whole);
  return 0;
}
