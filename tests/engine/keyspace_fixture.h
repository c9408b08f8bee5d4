#pragma once

#include <optional>
#include <string>

#include "server/engine/keyspace.h"

namespace magpie::testing {

inline constexpr Instant kNow{1'700'000'000'000};

inline std::string number_key(int number) { return "key:" + std::to_string(number); }

inline void put(engine::Keyspace& keyspace, ByteView key, ByteView value, std::optional<Instant> expiry = {},
                Instant now = kNow) {
  const engine::Key hashed = engine::Key::of(key);
  const engine::Keyspace::Guard guard = keyspace.lock(mask_of(hashed.stripe));
  keyspace.apply(engine::Put{Db{0}, hashed, engine::StringValue::plain(value), expiry}, now);
}

/// Lets active expiry go over all stripes; returns how many keys it erased.
inline std::uint64_t expire_all(engine::Keyspace& keyspace, Instant now) {
  const std::uint64_t before = keyspace.counters().expired;
  for (unsigned number = 0; number < engine::kStripes; ++number) {
    while (keyspace.expire_some(engine::StripeIndex{static_cast<std::uint8_t>(number)}, now, 20) >= 20) {
    }
  }
  return keyspace.counters().expired - before;
}

}  // namespace magpie::testing
