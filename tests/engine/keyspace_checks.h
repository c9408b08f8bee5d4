#pragma once

#include <doctest/doctest.h>

#include "server/engine/keyspace.h"
#include "tests/engine/keyspace_model.h"

namespace magpie::testing {

/// What a keyspace counts of a database is what is there. Needs all stripes.
inline void check_size(const engine::Keyspace& keyspace, Db db, Instant now) {
  std::uint64_t keys = 0;
  std::uint64_t volatile_keys = 0;
  keyspace.visit_all(db, [&](const engine::Entry& entry) {
    ++keys;
    volatile_keys += entry.expiry().has_value() ? 1 : 0;
  });
  const engine::Keyspace::DatabaseSize size = keyspace.size(db, now);
  REQUIRE(size.keys == keys);
  REQUIRE(size.volatile_keys == volatile_keys);
  REQUIRE(keyspace.keys(db) == keys);
}

/// The log, replayed into an empty keyspace, gives the same.
inline void check_replay(const EffectLog& log, const engine::Keyspace& keyspace, std::uint32_t databases, Instant now) {
  engine::Keyspace again({databases, true});
  log.replay_into(again, now);
  REQUIRE(again.digest() == keyspace.digest());
  for (std::uint32_t number = 0; number < databases; ++number) {
    check_size(again, Db{number}, now);
    REQUIRE(again.size(Db{number}, now).volatile_keys == keyspace.size(Db{number}, now).volatile_keys);
  }
}

}  // namespace magpie::testing
