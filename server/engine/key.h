#pragma once

#include <cstdint>

#include "cluster/placement/slot.h"
#include "protocol/bytes.h"
#include "server/engine/stripe.h"
#include "server/engine/table.h"

namespace magpie::engine {

constexpr StripeIndex stripe_of(Slot slot) {
  return StripeIndex{static_cast<std::uint8_t>(static_cast<unsigned>(block_of(slot)) % kStripes)};
}

/// A key with what is computed from it once per command. Borrows the bytes, which must outlive it.
struct Key {
  ByteView bytes;
  std::uint64_t hash = 0;
  StripeIndex stripe{};

  static Key of(ByteView bytes) { return {bytes, hash_of(bytes), stripe_of(slot_of(bytes))}; }
};

/// By what a ghost knows a key.
constexpr std::uint64_t ghost_hash(Db db, std::uint64_t hash) {
  return hash + magpie::index_of(db) * std::uint64_t{0x9e3779b97f4a7c15};
}

}  // namespace magpie::engine
