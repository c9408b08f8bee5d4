#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "protocol/reply_writer.h"
#include "server/config/settings.h"
#include "server/engine/entry_block.h"
#include "server/engine/string_value.h"

namespace magpie::commands {

/// From here on a reply refers to the value's bytes instead of copying them.
inline constexpr std::size_t kReferredFrom = std::size_t{16} << 10;

/// Some bytes of the value. A small part of a large one is copied: a client must not keep much more than what counts
/// as its output.
inline void reply_part(resp::ReplyWriter& reply, const engine::StringValue& value, ByteView part) {
  constexpr std::size_t kLeastShare = 4;
  if (part.size() >= kReferredFrom && value.block != nullptr &&
      part.size() >= engine::EntryBlock::memory(*value.block) / kLeastShare) [[unlikely]] {
    reply.shared_bulk(engine::EntryBlock::refer(*value.block, part));
  } else {
    reply.bulk(part);
  }
}

/// A string, or nil where there is none.
inline void reply_string(resp::ReplyWriter& reply, const std::optional<engine::StringValue>& value) {
  if (!value) return reply.null();
  engine::IntegerScratch scratch;
  reply_part(reply, *value, text_of(*value, scratch));
}

/// Whether a string of `kept` and `added` bytes, which may be any numbers, may be built; an entry's length has 32 bits.
inline bool fits_string(const config::Settings& settings, std::uint64_t kept, std::uint64_t added) {
  constexpr std::uint64_t kEntryMost = std::numeric_limits<std::uint32_t>::max();
  const std::uint64_t most = std::min(static_cast<std::uint64_t>(settings.proto_max_bulk_len), kEntryMost);
  return kept <= most && added <= most - kept;
}

}  // namespace magpie::commands
