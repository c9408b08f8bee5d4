#include "server/engine/expiry_index.h"

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <set>
#include <utility>

#include "tests/engine/random.h"

using magpie::Instant;
using magpie::engine::ExpiryIndex;
using magpie::testing::Random;

TEST_CASE("an empty index has nothing due") {
  const ExpiryIndex index;
  CHECK(index.empty());
  CHECK_FALSE(index.earliest().has_value());
  CHECK(index.volatile_keys() == 0);
  CHECK(index.mean_ttl(Instant{5}) == 0);
  CHECK_FALSE(index.mostly_stale());
  CHECK(index.memory() == 0);
}

TEST_CASE("items come out earliest first") {
  Random random(1);
  ExpiryIndex index;
  std::multiset<std::int64_t> model;
  for (int step = 0; step < 50'000; ++step) {
    if (model.empty() || random.below(100) < (step < 25'000 ? 60U : 40U)) {
      const auto due = static_cast<std::int64_t>(random.below(1'000'000)) - 500'000;
      index.add(Instant{due}, random.next());
      model.insert(due);
    } else {
      REQUIRE(index.earliest()->due == *model.begin());
      index.pop();
      model.erase(model.begin());
    }
    REQUIRE(index.empty() == model.empty());
  }
  while (!model.empty()) {
    REQUIRE(index.earliest()->due == *model.begin());
    index.pop();
    model.erase(model.begin());
  }
  CHECK(index.empty());
  CHECK(index.memory() <= 64 * sizeof(ExpiryIndex::Item));
}

TEST_CASE("mean time to live is that of the keys counted") {
  ExpiryIndex index;
  index.count(Instant{1000}, 1);
  index.count(Instant{3000}, 1);
  CHECK(index.volatile_keys() == 2);
  CHECK(index.mean_ttl(Instant{500}) == 1500);
  CHECK(index.mean_ttl(Instant{5000}) == 0);
  index.count(Instant{1000}, -1);
  CHECK(index.mean_ttl(Instant{500}) == 2500);
  // Sums beyond 64 bits.
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  index.count(Instant{3000}, -1);
  for (int i = 0; i < 10; ++i) index.count(Instant{kLast}, 1);
  CHECK(index.mean_ttl(Instant{0}) == kLast);
}

TEST_CASE("rebuild keeps what is live, once, in order, and gives memory back") {
  Random random(2);
  ExpiryIndex index;
  std::set<std::pair<std::int64_t, std::uint64_t>> live;
  for (std::uint64_t hash = 0; hash < 1000; ++hash) {
    const auto due = static_cast<std::int64_t>(random.below(100'000));
    index.count(Instant{due}, 1);
    live.emplace(due, hash);
    for (int copy = 0; copy < 3; ++copy) index.add(Instant{due}, hash);
    index.add(Instant{due + 7}, hash);  // stale
  }
  CHECK(index.mostly_stale());
  index.rebuild([&](const ExpiryIndex::Item& item) { return live.contains({item.due, item.hash}); });
  CHECK_FALSE(index.mostly_stale());
  CHECK(index.memory() <= 2 * 1000 * sizeof(ExpiryIndex::Item));
  for (const auto& [due, hash] : live) {
    REQUIRE(index.earliest().has_value());
    REQUIRE(index.earliest()->due == due);
    REQUIRE(live.contains({due, index.earliest()->hash}));
    index.pop();
  }
  CHECK(index.empty());
}

TEST_CASE("nothing volatile needs no items") {
  ExpiryIndex index;
  index.add(Instant{1}, 1);
  index.count(Instant{1}, 1);
  CHECK_FALSE(index.mostly_stale());
  index.count(Instant{1}, -1);
  CHECK(index.mostly_stale());
  index.rebuild([](const ExpiryIndex::Item&) { return false; });
  CHECK(index.empty());
  CHECK(index.memory() == 0);
  CHECK_FALSE(index.mostly_stale());
}

TEST_CASE("clear forgets everything") {
  ExpiryIndex index;
  for (int i = 0; i < 1000; ++i) {
    index.add(Instant{i}, 1);
    index.count(Instant{i}, 1);
  }
  index.clear();
  CHECK(index.empty());
  CHECK(index.volatile_keys() == 0);
  CHECK(index.mean_ttl(Instant{0}) == 0);
  CHECK(index.memory() == 0);
}
