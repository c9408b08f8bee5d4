#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "protocol/byte_buffer.h"
#include "protocol/bytes.h"
#include "protocol/wire/frame.h"
#include "server/arbiter/limits.h"

namespace magpie::arbiter {

/// What a link has read, and the frames in it. One thread.
class FrameInput {
 public:
  /// Where the next bytes go; then filled().
  std::span<char> space() {
    buffer_.consume(taken_);
    taken_ = 0;
    return {buffer_.reserve(kReadBytes), kReadBytes};
  }
  void filled(std::size_t bytes) { buffer_.commit(bytes); }

  /// What the next frame carries, which stays valid until space(); nothing if it is not there yet. After an error,
  /// which says what is wrong, nothing can be understood. A payload of more than `most` bytes is one.
  std::expected<std::optional<ByteView>, std::string> next(std::size_t most) {
    const auto parsed = wire::parse_frame(buffer_.view().substr(taken_));
    if (const auto* const wrong = std::get_if<wire::FrameError>(&parsed)) return std::unexpected(wrong->what);
    if (const auto* const frame = std::get_if<wire::Frame>(&parsed)) {
      if (frame->payload.size() > most) return too_long();
      taken_ += frame->consumed;
      return frame->payload;
    }
    if (std::get<wire::NeedMore>(parsed).at_least > wire::kFrameHeader + most) return too_long();
    return std::nullopt;
  }

 private:
  static std::unexpected<std::string> too_long() {
    return std::unexpected(std::string("a frame that is too long here"));
  }

  ByteBuffer buffer_;
  std::size_t taken_ = 0;
};

}  // namespace magpie::arbiter
