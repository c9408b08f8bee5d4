// Bytes from another node are refused, or they are frames whose messages are written, plain and compressed, and read
// again as the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "protocol/wire/compressed_message.h"
#include "protocol/wire/frame.h"
#include "protocol/wire/messages.h"

namespace {

using magpie::ByteBuffer;
using magpie::ByteView;
using magpie::wire::Frame;
using magpie::wire::Message;
using magpie::wire::MessageDecoder;

void require(bool condition) {
  if (!condition) std::abort();
}

void require_same(const ByteBuffer& buffer, const Message& message) {
  const auto parsed = magpie::wire::parse_frame(buffer.view());
  const auto* const frame = std::get_if<Frame>(&parsed);
  require(frame != nullptr && frame->consumed == buffer.size());
  MessageDecoder second;
  const auto again = second.decode(frame->payload);
  require(again.has_value() && *again == message);
}

void check_message(ByteView payload) {
  MessageDecoder decoder;
  const auto message = decoder.decode(payload);
  if (!message) return;
  ByteBuffer plain;
  append_message(plain, *message);
  require_same(plain, *message);
  ByteBuffer compressed;
  constexpr unsigned kAnyGain = 100;
  const auto sizes = append_compressed(compressed, *message, kAnyGain);
  require(sizes.plain == plain.size() && sizes.sent == compressed.size() && sizes.sent <= sizes.plain);
  require_same(compressed, *message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteView input(reinterpret_cast<const char*>(data), size);
  if (size < magpie::wire::kMostFrame / 2) check_message(input);  // checksums are hard to guess
  for (;;) {
    const auto parsed = magpie::wire::parse_frame(input);
    const auto* const frame = std::get_if<Frame>(&parsed);
    if (frame == nullptr) return 0;
    check_message(frame->payload);
    input.remove_prefix(frame->consumed);
  }
}
