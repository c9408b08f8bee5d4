#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "server/engine/effect_codec.h"
#include "server/engine/keyspace.h"
#include "server/replication/effect_log.h"

namespace magpie::testing {

/// The effects of each record, as bytes.
using Records = std::vector<std::string>;

/// All records from there on, which must be the start of one.
inline Records read_log(const server::EffectLog& log, Lsn from) {
  std::string bytes;
  for (Lsn at = from; const auto segment = log.segment_at(at);) {
    bytes += segment->from(at);
    at = from + bytes.size();
  }
  Records records;
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint32_t size = 0;
    REQUIRE(bytes.size() - at >= sizeof size);
    std::memcpy(&size, bytes.data() + at, sizeof size);
    at += sizeof size;
    REQUIRE(bytes.size() - at >= size);
    records.push_back(bytes.substr(at, size));
    at += size;
  }
  return records;
}

/// Calls use(effect) for each effect of a record; returns how many there are.
template <class Use>
std::size_t for_each_effect(const std::string& record, Use&& use) {
  constexpr std::uint32_t kDatabases = 16;
  engine::EffectDecoder decoder(kDatabases);
  std::size_t count = 0;
  for (ByteView from = record; !from.empty(); ++count) {
    const auto effect = decoder.take(from);
    REQUIRE(effect.has_value());
    use(*effect);
  }
  return count;
}

inline std::size_t effects_of(const std::string& record) {
  return for_each_effect(record, [](const engine::Effect&) {});
}

inline void replay(const Records& records, engine::Keyspace& keyspace, Instant now) {
  for (const std::string& record : records) {
    for_each_effect(record, [&](const engine::Effect& effect) { keyspace.replay(effect, now); });
  }
}

}  // namespace magpie::testing
