// A reply that was read writes and reads back the same; no prefix of it is a reply; what needs more is a prefix of
// something, so that it stays unfinished when shortened.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/reply_reader.h"
#include "tests/protocol/reply_text.h"

namespace {

using namespace magpie::resp;  // NOLINT(google-build-using-namespace): one file about one namespace

void require(bool condition) {
  if (!condition) std::abort();
}

ReplyOutcome read(std::string_view input, Reply& reply) {
  const auto copy = std::make_unique<char[]>(input.size());
  if (!input.empty()) std::memcpy(copy.get(), input.data(), input.size());
  return read_reply({copy.get(), input.size()}, {}, reply);
}

void check_prefixes(std::string_view bytes) {
  const std::size_t step = 1 + bytes.size() / 64;
  Reply reply;
  for (std::size_t size = 0; size < bytes.size(); size += step) {
    require(std::holds_alternative<ReplyNeedMore>(read(bytes.substr(0, size), reply)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  for (int count = 0; count < 16 && !input.empty(); ++count) {
    Reply reply;
    const auto outcome = read(input, reply);
    if (std::holds_alternative<ReplyMalformed>(outcome)) return 0;
    if (std::holds_alternative<ReplyNeedMore>(outcome)) {
      check_prefixes(input);
      return 0;
    }
    const std::size_t consumed = std::get<ReplyParsed>(outcome).consumed;
    require(consumed > 0 && consumed <= input.size());
    check_prefixes(input.substr(0, consumed));
    const std::string written = encode(reply);
    Reply again;
    const auto second = read(written, again);
    require(std::holds_alternative<ReplyParsed>(second));
    require(std::get<ReplyParsed>(second).consumed == written.size());
    require(same(reply, again));
    input.remove_prefix(consumed);
  }
  return 0;
}
