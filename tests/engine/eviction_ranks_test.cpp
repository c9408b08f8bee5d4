#include "server/engine/eviction_ranks.h"

#include <doctest/doctest.h>

using magpie::Instant;
using magpie::engine::Epochs;
using magpie::engine::EvictionRanks;
using magpie::engine::Heat;
using magpie::engine::kAgeBins;
using magpie::engine::kBinOfAge;
using magpie::engine::kClasses;
using magpie::engine::Label;
using magpie::engine::make_heat;
using magpie::engine::UseCounts;

namespace {

constexpr Instant kNow{1'700'000'000'000};

/// Epochs of which all ages are in use, with a label for each.
struct Aged {
  Aged() {
    epochs.go_on(kNow);
    for (unsigned turn = 0; turn < Epochs::kOldest; ++turn) {
      labels[Epochs::kOldest - turn] = epochs.current();
      REQUIRE(epochs.turn_over(kNow));
    }
    labels[0] = epochs.current();
    for (unsigned age = 0; age <= Epochs::kOldest; ++age) REQUIRE(epochs.age(labels[age]) == age);
  }
  Heat heat(unsigned of_class, unsigned age) const { return make_heat(of_class, labels[age]); }

  Epochs epochs;
  Label labels[Epochs::kOldest + 1]{};
};

}  // namespace

TEST_CASE("without history, older goes before younger and once before often") {
  const Aged aged;
  EvictionRanks ranks;
  ranks.publish(aged.epochs);
  for (unsigned of_class = 0; of_class < kClasses; ++of_class) {
    for (unsigned age = 1; age <= Epochs::kOldest; ++age) {
      CHECK(ranks.rank(aged.heat(of_class, age)) < ranks.rank(aged.heat(of_class, age - 1)));
      CHECK(ranks.rank(aged.heat(of_class, age)) > 0);
      if (of_class > 0) CHECK(ranks.rank(aged.heat(of_class - 1, age)) < ranks.rank(aged.heat(of_class, age)));
    }
  }
  // Never returned, and an eighth of the cache has been replaced since: goes before what returned once, a while ago.
  CHECK(ranks.rank(aged.heat(0, 1)) < ranks.rank(aged.heat(1, 8)));
}

TEST_CASE("bins cover all ages in order") {
  CHECK(kBinOfAge[0] == 0);
  CHECK(kBinOfAge[Epochs::kOldest] == kAgeBins - 1);
  for (unsigned age = 1; age <= Epochs::kOldest; ++age) {
    CHECK(kBinOfAge[age] >= kBinOfAge[age - 1]);
    CHECK(kBinOfAge[age] <= kBinOfAge[age - 1] + 1);
  }
}

TEST_CASE("a class whose keys are never used again goes down, one whose keys return goes up") {
  const Aged aged;
  EvictionRanks plain;
  plain.publish(aged.epochs);
  EvictionRanks learnt;
  EvictionRanks::Sums hits{};
  EvictionRanks::Sums deaths{};
  for (int epoch = 0; epoch < 50; ++epoch) {
    deaths[1 * kAgeBins + kBinOfAge[20]] += 1000;  // class 1: none returns
    hits[2 * kAgeBins + kBinOfAge[4]] += 1000;     // class 2: all return at age 4
    learnt.learn(hits, deaths);
  }
  learnt.publish(aged.epochs);
  const auto ratio = [&](unsigned of_class, unsigned age) {
    return learnt.rank(aged.heat(of_class, age)) / plain.rank(aged.heat(of_class, age));
  };
  CHECK(ratio(2, 3) > 2 * ratio(1, 3));
  CHECK(learnt.rank(aged.heat(2, 3)) > learnt.rank(aged.heat(2, 15)));
}

TEST_CASE("uses are counted by class and age") {
  const Aged aged;
  UseCounts uses;
  UseCounts::add(uses.hits, aged.epochs, aged.heat(3, 5));
  UseCounts::add(uses.hits, aged.epochs, aged.heat(3, 4));
  UseCounts::add(uses.hits, aged.epochs, aged.heat(2, 28));
  CHECK(uses.hits[3 * kAgeBins + kBinOfAge[4]].load() == 2);  // ages 4 and 5 share a bin
  CHECK(uses.hits[2 * kAgeBins + kAgeBins - 1].load() == 1);
  for (const auto& count : uses.deaths) CHECK(count.load() == 0);
}

TEST_CASE("after forgetting, what went before makes no difference") {
  const Aged aged;
  const auto rank = [&](EvictionRanks& ranks) {
    ranks.publish(aged.epochs);
    return ranks.rank(aged.heat(1, 20));
  };
  EvictionRanks fresh;
  fresh.learn({}, {});
  EvictionRanks ranks;
  EvictionRanks::Sums deaths{};
  deaths[1 * kAgeBins + kBinOfAge[20]] = 1000;
  ranks.learn({}, deaths);
  CHECK(rank(ranks) != doctest::Approx(rank(fresh)));
  ranks.forget({}, deaths);
  CHECK(rank(ranks) == doctest::Approx(rank(fresh)));
}
