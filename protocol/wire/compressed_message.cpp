#include "protocol/wire/compressed_message.h"

#include <algorithm>

#include "protocol/wire/frame.h"
#include "protocol/wire/lz4_block.h"
#include "protocol/wire/node.pb.h"

namespace magpie::wire {
namespace {

constexpr std::size_t kWrapper = 16;  // what Compressed takes at most around the block
constexpr std::size_t kPercent = 100;

/// What the block of a payload may take so that the frame gets small enough; 0: no block would do.
std::size_t most_block(std::size_t payload, unsigned most_percent) {
  const std::size_t most = payload * std::min<std::size_t>(most_percent, kPercent) / kPercent;
  return most > kWrapper ? most - kWrapper : 0;
}

}  // namespace

FrameSizes append_compressed(ByteBuffer& to, const Message& message, unsigned most_percent) {
  const std::size_t before = to.size();
  append_message(to, message);
  const std::size_t plain = to.size() - before;
  const ByteView payload = to.view().substr(before + kFrameHeader);
  const std::size_t most = most_block(payload.size(), most_percent);
  if (most == 0) return {plain, plain};
  pb::Message out;
  std::string& block = *out.mutable_compressed()->mutable_message();
  block.resize(most);
  const std::size_t took = compress_block(payload, block.data(), most);
  if (took == 0) return {plain, plain};
  block.resize(took);
  out.mutable_compressed()->set_size(static_cast<std::uint32_t>(payload.size()));
  const std::size_t size = out.ByteSizeLong();
  to.truncate(before);
  char* const frame = to.reserve(kFrameHeader + size);
  out.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(frame + kFrameHeader));
  seal_frame(frame, size);
  to.commit(kFrameHeader + size);
  return {plain, kFrameHeader + size};
}

}  // namespace magpie::wire
