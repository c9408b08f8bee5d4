#include <doctest/doctest.h>

#include <string>
#include <unordered_map>

#include "server/engine/table.h"
#include "tests/engine/random.h"
#include "tests/engine/table_keys.h"

using magpie::engine::Entry;
using magpie::engine::Table;
using magpie::testing::colliding_keys;
using magpie::testing::insert;
using magpie::testing::Random;

TEST_CASE("every entry is sampled, none much more often than others") {
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{50}, std::size_t{1000}}) {
    Random random(7);
    Table table;
    for (std::size_t number = 0; number < count; ++number) {
      insert(table, "s" + std::to_string(number));
    }
    std::unordered_map<std::string, std::size_t> seen;
    for (std::size_t draw = 0; draw < count * 500; ++draw) {
      const Entry* one = table.sample(random.next()).entry;
      REQUIRE(one != nullptr);
      ++seen[std::string(one->key())];
    }
    CHECK(seen.size() == count);
    for (const auto& [key, times] : seen) {
      CAPTURE(count);
      CAPTURE(key);
      CHECK(times > 125);
      CHECK(times < 1000);
    }
  }
}

TEST_CASE("entries in overflow chains are sampled too") {
  Random random(8);
  Table table;
  const auto keys = colliding_keys(40, 10);
  for (const std::string& key : keys) insert(table, key);
  std::unordered_map<std::string, std::size_t> seen;
  for (int draw = 0; draw < 20'000; ++draw) ++seen[std::string(table.sample(random.next()).entry->key())];
  CHECK(seen.size() == keys.size());
}
