#pragma once

#include <string>
#include <vector>

#include "server/engine/table.h"

namespace magpie::testing {

inline engine::Table::Fresh fresh(engine::Table& table, const std::string& key, std::int64_t value) {
  return table.make({key, engine::StringValue::integer(value), std::nullopt});
}
inline void insert(engine::Table& table, const std::string& key, std::int64_t value = 0) {
  table.insert(engine::hash_of(key), fresh(table, key, value), {});
}

/// Keys whose hashes end in the same `bits` zero bits: they share a bucket until the table has more buckets than that.
inline std::vector<std::string> colliding_keys(std::size_t count, unsigned bits) {
  std::vector<std::string> keys;
  for (int number = 0; keys.size() < count; ++number) {
    std::string key = "c" + std::to_string(number);
    if ((engine::hash_of(key) & ((std::uint64_t{1} << bits) - 1)) == 0) keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace magpie::testing
