#pragma once

#include <cstddef>

#include "protocol/byte_buffer.h"
#include "protocol/wire/messages.h"

namespace magpie::wire {

/// What a frame takes, in bytes: as it would be, and as it is.
struct FrameSizes {
  std::size_t plain = 0;
  std::size_t sent = 0;  // less, if it is compressed; else the same
};

/// Appends the message as a frame, as append_message() does: compressed, if the frame then has at most `most_percent`
/// of its plain size and is smaller, else plain. Only for peers that know Compressed of node.proto. One thread.
FrameSizes append_compressed(ByteBuffer& to, const Message& message, unsigned most_percent);

}  // namespace magpie::wire
