#pragma once

#include <cstdint>

#include "protocol/bytes.h"

namespace magpie {

/// One of the 16384 hash slots of Redis Cluster.
enum class Slot : std::uint16_t {};
/// A contiguous run of slots; the unit that is placed and moved.
enum class Block : std::uint16_t {};

inline constexpr unsigned kSlots = 16384;
inline constexpr unsigned kBlocks = 256;
inline constexpr unsigned kSlotsPerBlock = kSlots / kBlocks;

/// CRC16 (XMODEM) of the key, or of its {hash tag} if it has a non-empty one, mod 16384.
/// Source: Redis Cluster specification, "Key distribution model" and "Hash tags".
Slot slot_of(ByteView key);

constexpr Block block_of(Slot slot) {
  return Block{static_cast<std::uint16_t>(static_cast<unsigned>(slot) / kSlotsPerBlock)};
}

}  // namespace magpie
