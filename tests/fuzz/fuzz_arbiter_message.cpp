// Bytes from a node or an arbiter are refused, or they are messages that are written and read again as the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocol/wire/arbiter_messages.h"
#include "protocol/wire/frame.h"

namespace {

using magpie::ByteBuffer;
using magpie::ByteView;
using magpie::wire::Frame;

void require(bool condition) {
  if (!condition) std::abort();
}

void check_message(ByteView payload) {
  const auto message = magpie::wire::arbiter::decode_message(payload);
  if (!message) {
    require(!message.error().empty());
    return;
  }
  ByteBuffer buffer;
  append_message(buffer, *message);
  const auto parsed = magpie::wire::parse_frame(buffer.view());
  const auto* const frame = std::get_if<Frame>(&parsed);
  require(frame != nullptr && frame->consumed == buffer.size());
  require(magpie::wire::arbiter::decode_message(frame->payload) == *message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < magpie::wire::kMostFrame / 2) check_message({reinterpret_cast<const char*>(data), size});
  return 0;
}
