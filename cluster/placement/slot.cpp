#include "cluster/placement/slot.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace magpie {
namespace {

constexpr unsigned kPolynomial = 0x1021;
constexpr std::size_t kSlice = 8;  // bytes per step

using Tables = std::array<std::array<std::uint16_t, 256>, kSlice>;

/// tables[k][b]: what byte b contributes when k more bytes follow it in the slice.
constexpr Tables make_tables() {
  Tables tables{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? (crc << 1) ^ kPolynomial : crc << 1;
    tables[0][byte] = static_cast<std::uint16_t>(crc);
  }
  for (std::size_t k = 1; k < kSlice; ++k) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      const unsigned crc = tables[k - 1][byte];
      tables[k][byte] = static_cast<std::uint16_t>((crc << 8) ^ tables[0][crc >> 8]);
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

unsigned crc16(ByteView bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  unsigned crc = 0;
  for (; left >= kSlice; at += kSlice, left -= kSlice) {
    crc = kTables[7][at[0] ^ (crc >> 8)] ^ kTables[6][at[1] ^ (crc & 0xff)] ^ kTables[5][at[2]] ^ kTables[4][at[3]] ^
          kTables[3][at[4]] ^ kTables[2][at[5]] ^ kTables[1][at[6]] ^ kTables[0][at[7]];
  }
  for (; left > 0; ++at, --left) crc = ((crc << 8) & 0xffff) ^ kTables[0][(crc >> 8) ^ *at];
  return crc;
}

ByteView hashed_part(ByteView key) {
  const void* open = key.empty() ? nullptr : std::memchr(key.data(), '{', key.size());
  if (open == nullptr) return key;
  const std::size_t start = static_cast<std::size_t>(static_cast<const char*>(open) - key.data()) + 1;
  const std::size_t close = key.find('}', start);
  if (close == ByteView::npos || close == start) return key;
  return key.substr(start, close - start);
}

}  // namespace

Slot slot_of(ByteView key) { return Slot{static_cast<std::uint16_t>(crc16(hashed_part(key)) % kSlots)}; }

}  // namespace magpie
