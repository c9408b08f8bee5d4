#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "protocol/bytes.h"

namespace magpie {

/// Numbers in groups of seven bits, the lowest first, with the high bit set where more follow (LEB128, as in protobuf).
inline constexpr std::size_t kMostVarintBytes = 10;

/// Writes at most kMostVarintBytes; returns where it ended.
inline char* put_varint(char* to, std::uint64_t number) {
  while (number >= 0x80) {
    *to++ = static_cast<char>(number | 0x80);
    number >>= 7;
  }
  *to++ = static_cast<char>(number);
  return to;
}

/// Takes a number from the front of `from`; nothing if there is none that fits 64 bits.
inline std::optional<std::uint64_t> take_varint(ByteView& from) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < from.size() && i < kMostVarintBytes; ++i) {
    const auto byte = static_cast<std::uint8_t>(from[i]);
    const unsigned shift = static_cast<unsigned>(i) * 7;
    if (i + 1 == kMostVarintBytes && byte > 1) return std::nullopt;
    number |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) {
      from.remove_prefix(i + 1);
      return number;
    }
  }
  return std::nullopt;
}

/// Signed numbers near zero become small unsigned ones, and back.
constexpr std::uint64_t zigzag(std::int64_t number) {
  return static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63);
}
constexpr std::int64_t from_zigzag(std::uint64_t number) {
  return static_cast<std::int64_t>(number >> 1 ^ (~(number & 1) + 1));
}

}  // namespace magpie
