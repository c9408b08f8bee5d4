// Positions: what stays in a table from the start of an iteration to its end is seen, whatever else comes and goes.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "server/engine/table.h"
#include "tests/engine/random.h"

using magpie::engine::Entry;
using magpie::engine::hash_of;
using magpie::engine::Position;
using magpie::engine::StringValue;
using magpie::engine::Table;
using magpie::testing::Random;

namespace {

void add(Table& table, const std::string& key) {
  table.insert(hash_of(key), table.make({key, StringValue::integer(0), std::nullopt}), {});
}
bool remove(Table& table, const std::string& key) {
  const Entry* entry = table.find(hash_of(key), key).entry;
  if (entry == nullptr) return false;
  table.erase(hash_of(key), entry);
  return true;
}

struct Seen {
  std::set<std::string> keys;
  std::size_t visits = 0;
  std::size_t calls = 0;
};

/// Iterates over all positions, with a change between the calls.
template <class Change>
Seen iterate(const Table& table, Change&& change) {
  Seen seen;
  Position position = 0;
  do {
    const Position next = table.visit_bucket(position, [&](Entry& entry) {
      seen.keys.emplace(entry.key());
      ++seen.visits;
    });
    REQUIRE((next == 0 || next > position));
    position = next;
    ++seen.calls;
    change();
  } while (position != 0);
  return seen;
}

}  // namespace

TEST_CASE("an undisturbed iteration visits every entry once, a bucket a call") {
  Table table;
  for (int number = 0; number < 3000; ++number) {
    if (number % 37 == 0) {
      const Seen seen = iterate(table, [] {});
      REQUIRE(seen.keys.size() == table.size());
      REQUIRE(seen.visits == table.size());
      REQUIRE(seen.calls == table.buckets());
    }
    add(table, "k" + std::to_string(number));
  }
}

TEST_CASE("what stays is seen while the table grows") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    Table table;
    const std::uint64_t stable = 1 + random.below(2000);
    for (std::uint64_t number = 0; number < stable; ++number) add(table, "stay" + std::to_string(number));
    int fresh = 0;
    const Seen seen = iterate(table, [&] {
      for (std::uint64_t n = random.below(30); n > 0 && fresh < 20'000; --n)
        add(table, "new" + std::to_string(fresh++));
    });
    for (std::uint64_t number = 0; number < stable; ++number) {
      REQUIRE(seen.keys.contains("stay" + std::to_string(number)));
    }
  }
}

TEST_CASE("what stays is seen while the table shrinks") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    Table table;
    const std::uint64_t stable = 1 + random.below(500);
    const std::uint64_t leaving = random.below(10'000);
    for (std::uint64_t number = 0; number < leaving; ++number) add(table, "go" + std::to_string(number));
    for (std::uint64_t number = 0; number < stable; ++number) add(table, "stay" + std::to_string(number));
    std::uint64_t gone = 0;
    const Seen seen = iterate(table, [&] {
      for (std::uint64_t n = random.below(40); n > 0 && gone < leaving; --n) {
        REQUIRE(remove(table, "go" + std::to_string(gone++)));
      }
    });
    for (std::uint64_t number = 0; number < stable; ++number) {
      REQUIRE(seen.keys.contains("stay" + std::to_string(number)));
    }
  }
}

TEST_CASE("what stays is seen while the table grows and shrinks in turns") {
  for (std::uint64_t seed = 100; seed < 140; ++seed) {
    Random random(seed);
    Table table;
    const std::uint64_t stable = 1 + random.below(300);
    for (std::uint64_t number = 0; number < stable; ++number) add(table, "stay" + std::to_string(number));
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    bool growing = true;
    const Seen seen = iterate(table, [&] {
      if (random.one_in(5)) growing = !growing;
      for (std::uint64_t n = random.below(200); n > 0; --n) {
        if (growing && high < 30'000) {
          add(table, "x" + std::to_string(high++));
        } else if (low < high) {
          REQUIRE(remove(table, "x" + std::to_string(low++)));
        }
      }
    });
    for (std::uint64_t number = 0; number < stable; ++number) {
      REQUIRE(seen.keys.contains("stay" + std::to_string(number)));
    }
  }
}

TEST_CASE("any position is fit to go on from") {
  Random random(9);
  Table table;
  for (int number = 0; number < 1000; ++number) add(table, "k" + std::to_string(number));
  for (int round = 0; round < 1000; ++round) {
    const Position from = random.next();
    const Position next = table.visit_bucket(from, [](Entry&) {});
    REQUIRE((next == 0 || next > from));
  }
  CHECK(table.visit_bucket(~Position{0}, [](Entry&) {}) == 0);
}
