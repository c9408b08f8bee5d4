#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "protocol/byte_buffer.h"
#include "server/engine/effect_codec.h"

namespace magpie::server {

// A log is records one behind the other, each four bytes of length (least significant first) and then that many bytes
// of effects (engine/effect_codec.h): one effect, or those of a group, which take place together or not at all, or
// none: a barrier, which begins a term.
inline constexpr std::size_t kRecordHeader = 4;

/// The effects of a record have at most so many bytes.
inline constexpr std::size_t kMostRecord = 0xffff'ffff;

inline void put_record_header(char* to, std::size_t size) {
  const auto length = static_cast<std::uint32_t>(size);
  std::memcpy(to, &length, kRecordHeader);
}

/// Of the effects of a record whose header is there.
inline std::size_t record_size(ByteView record) {
  std::uint32_t length = 0;
  std::memcpy(&length, record.data(), kRecordHeader);
  return length;
}

/// Appends a record of one effect.
inline void append_record(ByteBuffer& to, const engine::Effect& effect) {
  char* const record = to.reserve(kRecordHeader + engine::encoded_bound(effect));
  const char* const end = engine::encode(effect, record + kRecordHeader);
  const auto size = static_cast<std::size_t>(end - record);
  put_record_header(record, size - kRecordHeader);
  to.commit(size);
}

}  // namespace magpie::server
