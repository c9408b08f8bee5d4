#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "protocol/reply_writer.h"
#include "server/engine/effect.h"
#include "server/engine/list_view.h"

namespace magpie::commands {

inline void reply_element(resp::ReplyWriter& reply, const engine::StringValue& element) {
  engine::IntegerScratch scratch;
  reply.bulk(text_of(element, scratch));
}

/// Some neighbours in a list.
struct ListRange {
  std::size_t first = 0;
  std::size_t count = 0;

  /// From `start` to `stop`, both inclusive; negative ones count from the end, and what is outside is left out.
  static ListRange between(std::int64_t start, std::int64_t stop, std::size_t size) {
    const auto length = static_cast<std::int64_t>(size);
    if (start < 0) start = std::max(start + length, std::int64_t{0});
    if (stop < 0) stop += length;
    stop = std::min(stop, length - 1);
    if (start > stop) return {};
    return {static_cast<std::size_t>(start), static_cast<std::size_t>(stop - start + 1)};
  }
  /// Up to `most` from that end.
  static ListRange at_end(engine::ListEnd end, std::uint64_t most, std::size_t size) {
    const std::size_t count = std::min<std::uint64_t>(most, size);
    return {end == engine::ListEnd::Front ? 0 : size - count, count};
  }
};

/// The elements as an array; from the last to the first if they were taken from the back.
inline void reply_elements(resp::ReplyWriter& reply, const engine::ListView& list, ListRange range,
                           engine::ListEnd end = engine::ListEnd::Front) {
  reply.array(range.count);
  if (end == engine::ListEnd::Front) {
    engine::ListView::Cursor at(list, range.first);
    for (std::size_t i = 0; i < range.count; ++i, at.next()) reply_element(reply, at.value());
  } else {
    engine::ListView::Cursor at(list, range.first + range.count - 1);
    for (std::size_t i = 0; i < range.count; ++i, at.previous()) reply_element(reply, at.value());
  }
}

}  // namespace magpie::commands
