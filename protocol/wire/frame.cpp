#include "protocol/wire/frame.h"

#include <isa-l/crc.h>
#include <bit>
#include <cstring>

#include "protocol/check.h"

namespace magpie::wire {
namespace {

static_assert(std::endian::native == std::endian::little);

std::uint32_t crc32c(ByteView bytes) {
  auto* const data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));  // which it only reads
  return ~crc32_iscsi(data, static_cast<int>(bytes.size()), ~std::uint32_t{0});
}

struct Header {
  std::uint32_t size;
  std::uint32_t checksum;
};
static_assert(sizeof(Header) == kFrameHeader);

}  // namespace

void append_frame(ByteBuffer& to, ByteView payload) {
  char* const frame = to.reserve(kFrameHeader + payload.size());
  put_bytes(frame + kFrameHeader, payload);
  seal_frame(frame, payload.size());
  to.commit(kFrameHeader + payload.size());
}

void seal_frame(char* frame, std::size_t payload_size) {
  CHECK(payload_size <= kMostFrame);
  const Header header{static_cast<std::uint32_t>(payload_size), crc32c({frame + kFrameHeader, payload_size})};
  std::memcpy(frame, &header, sizeof header);
}

std::variant<Frame, NeedMore, FrameError> parse_frame(ByteView input) {
  if (input.size() < kFrameHeader) return NeedMore{kFrameHeader};
  Header header{};
  std::memcpy(&header, input.data(), sizeof header);
  if (header.size > kMostFrame) {
    return FrameError{"a frame of " + std::to_string(header.size) + " bytes, which is more than there can be"};
  }
  const std::size_t end = kFrameHeader + header.size;
  if (input.size() < end) return NeedMore{end};
  const ByteView payload = input.substr(kFrameHeader, header.size);
  if (crc32c(payload) != header.checksum) return FrameError{"a frame with a wrong checksum"};
  return Frame{payload, end};
}

}  // namespace magpie::wire
