#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "protocol/byte_buffer.h"
#include "protocol/bytes.h"

namespace magpie::wire {

/// Frames between nodes: four bytes of length and four of CRC-32C (Castagnoli, as in iSCSI), both least significant
/// first, then so many bytes, which the checksum is of.
inline constexpr std::size_t kFrameHeader = 8;
/// What a frame carries is at most so long; larger things travel in parts.
inline constexpr std::size_t kMostFrame = std::size_t{1} << 20;

/// The payload must not exceed kMostFrame.
void append_frame(ByteBuffer& to, ByteView payload);

/// Writes the header in front of a payload that is there already, kFrameHeader bytes behind `frame`.
void seal_frame(char* frame, std::size_t payload_size);

/// The payload borrows from the input.
struct Frame {
  ByteView payload;
  std::size_t consumed;
};
struct NeedMore {
  std::size_t at_least;  // bytes that the frame needs in all
};
/// Nothing behind it can be understood: the link has to be closed.
struct FrameError {
  std::string what;
};
std::variant<Frame, NeedMore, FrameError> parse_frame(ByteView input);

}  // namespace magpie::wire
