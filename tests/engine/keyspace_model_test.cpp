// Random effects on a keyspace, and what else happens to one, agree with a simple model of it, under a clock that moves
// by hand.
#include <doctest/doctest.h>

#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "server/engine/keyspace.h"
#include "server/engine/memory.h"
#include "tests/engine/keyspace_checks.h"
#include "tests/engine/keyspace_fixture.h"
#include "tests/engine/keyspace_model.h"
#include "tests/engine/keyspace_upkeep.h"
#include "tests/engine/random.h"

using magpie::ByteView;
using magpie::Db;
using magpie::Instant;
using magpie::engine::Entry;
using magpie::engine::Erase;
using magpie::engine::Flush;
using magpie::engine::kAllStripes;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::engine::ListEnd;
using magpie::engine::ListErase;
using magpie::engine::ListInsert;
using magpie::engine::ListPush;
using magpie::engine::ListSet;
using magpie::engine::Overwrite;
using magpie::engine::Put;
using magpie::engine::SetExpiry;
using magpie::engine::StringValue;
using magpie::engine::SwapDb;
using magpie::engine::ValueType;
using magpie::testing::KeyspaceModel;
using magpie::testing::ModelledKeyspace;
using magpie::testing::Random;
using magpie::testing::Upkeep;

namespace {

constexpr std::uint32_t kDatabases = 3;

/// What a seed's steps are about.
struct Plan {
  std::uint64_t keys;
  std::uint64_t steps_per_flush;
  bool one_stripe = false;  // for all keys, so that its tables have many

  std::string name(std::uint64_t number) const { return (one_stripe ? "{t}" : "key") + std::to_string(number); }
};

/// A keyspace and its model, driven by one seed.
class Twin {
 public:
  Twin(std::uint64_t seed, const Plan& plan) : plan_(plan), random_(seed) {}

  void step() {
    if (random_.one_in(10)) data_.now.ms += static_cast<std::int64_t>(random_.below(50));
    if (random_.one_in(3000)) data_.now.ms += 100'000;
    const Db db{static_cast<std::uint32_t>(random_.below(kDatabases))};
    const std::string name = some_name();
    const std::uint64_t kind = random_.below(1000);
    if (random_.one_in(plan_.steps_per_flush)) {
      apply(Flush{random_.one_in(4) ? std::nullopt : std::optional(db)}, kAllStripes);
    } else if (kind < 5) {
      apply(SwapDb{db, Db{static_cast<std::uint32_t>(random_.below(kDatabases))}}, kAllStripes);
    } else {
      change_key(kind, db, Key::of(name));
    }
    if (random_.one_in(3)) upkeep_.step(Key::of(name).stripe);
  }

  /// Many entries of one size, so that pages become sparse when they go.
  void fill() {
    for (std::uint64_t number = 0; number < plan_.keys; ++number) {
      const std::string name = plan_.name(number);
      const Key key = Key::of(name);
      apply(Put{Db{0}, key, StringValue::plain(std::string(200, 'f')), some_expiry()}, mask_of(key.stripe));
    }
  }

  void expire_all() {
    const std::size_t before = data_.model.content().size();
    const std::uint64_t expired = magpie::testing::expire_all(keyspace_, data_.now);
    REQUIRE(expired == before - data_.model.content().size());
    REQUIRE(data_.model.expire(data_.now) == 0);
  }

  void check_all() {
    const Keyspace::Guard guard = keyspace_.lock(kAllStripes);
    std::size_t seen = 0;
    for (std::uint32_t number = 0; number < kDatabases; ++number) {
      const Db db{number};
      keyspace_.visit_all(db, [&](Entry& entry) {
        ++seen;
        const auto found = data_.model.content().find({number, std::string(entry.key())});
        REQUIRE(found != data_.model.content().end());
        REQUIRE(KeyspaceModel::value_of(entry) == found->second);
      });
      magpie::testing::check_size(keyspace_, db, data_.now);
    }
    REQUIRE(seen == data_.model.content().size());
    const Keyspace::Counters counters = keyspace_.counters();
    REQUIRE(counters.expired == data_.expired);
    REQUIRE(counters.evicted == std::reduce(data_.evicted.begin(), data_.evicted.end()));
  }

  void check_replay() { magpie::testing::check_replay(data_.log, keyspace_, kDatabases, data_.now); }

  const ModelledKeyspace& data() const { return data_; }
  const Upkeep::Counts& upkeep() const { return upkeep_.counts(); }

 private:
  template <class SomeEffect>
  void apply(const SomeEffect& effect, magpie::engine::StripeMask mask) {
    const Keyspace::Guard guard = keyspace_.lock(mask);
    keyspace_.apply(effect, data_.now);
  }

  std::string some_name() { return plan_.name(random_.below(plan_.keys)); }

  std::optional<Instant> some_expiry() {
    if (random_.one_in(2)) return std::nullopt;
    return Instant{data_.now.ms - 10 + static_cast<std::int64_t>(random_.below(random_.one_in(2) ? 2000 : 60'000))};
  }

  void change_key(std::uint64_t kind, Db db, const Key& key) {
    const auto mask = mask_of(key.stripe);
    const std::string bytes = random_.bytes(random_.below(random_.one_in(50) ? 3000 : 60));
    if (kind < 600) {
      change_value(kind, db, key, bytes);
    } else if (kind < 700) {
      apply(Erase{db, key}, mask);
    } else if (kind < 800) {
      apply(SetExpiry{db, key, some_expiry()}, mask);
    } else if (kind < 850) {
      copy_value(db, key);
    } else {
      look(db, key);
    }
  }

  void change_value(std::uint64_t kind, Db db, const Key& key, ByteView bytes) {
    const auto mask = mask_of(key.stripe);
    const auto size = list_size(db, key);
    if (kind < 200 || (size && kind < 220)) {
      apply(Put{db, key,
                random_.one_in(3) ? StringValue::integer(static_cast<std::int64_t>(random_.next()))
                                  : StringValue::plain(bytes),
                some_expiry()},
            mask);
    } else if (kind < 300 && !size) {
      apply(Overwrite{db, key, random_.below(100), bytes}, mask);
    } else if (!size || kind < 400) {
      if (!size) apply(Erase{db, key}, mask);
      const std::vector<ByteView> elements(1 + random_.below(random_.one_in(20) ? 300 : 4), bytes);
      apply(ListPush{db, key, random_.one_in(2) ? ListEnd::Front : ListEnd::Back, elements}, mask);
    } else {
      change_list(kind, db, key, *size, bytes);
    }
  }

  void change_list(std::uint64_t kind, Db db, const Key& key, std::size_t size, ByteView bytes) {
    const auto mask = mask_of(key.stripe);
    const std::size_t index = random_.below(size);
    if (kind < 450) {
      apply(ListSet{db, key, index, bytes}, mask);
    } else if (kind < 500) {
      apply(ListInsert{db, key, random_.below(size + 1), bytes}, mask);
    } else if (random_.one_in(3)) {
      apply(ListErase{db, key, index, 1 + random_.below(size - index)}, mask);
    } else {
      apply(ListErase{db, key, random_.one_in(2) ? 0 : size - 1, 1}, mask);
    }
  }

  /// Nothing if there is no list.
  std::optional<std::size_t> list_size(Db db, const Key& key) {
    const Keyspace::Guard guard = keyspace_.lock(mask_of(key.stripe));
    const Entry* entry = keyspace_.find(db, key, data_.now);
    if (entry == nullptr || entry->type() != ValueType::List) return std::nullopt;
    return entry->list().size();
  }

  void copy_value(Db db, const Key& key) {
    const std::string name = some_name();
    const Key target = Key::of(name);
    const Keyspace::Guard guard = keyspace_.lock(mask_of(key.stripe) | mask_of(target.stripe));
    const Entry* entry = keyspace_.peek(db, key, data_.now);
    if (entry == nullptr || target.bytes == key.bytes) return;
    const Put put{db, target, entry->value(), entry->expiry()};
    keyspace_.apply(put, data_.now);
  }

  void look(Db db, const Key& key) {
    const Keyspace::Guard guard = keyspace_.lock(mask_of(key.stripe));
    const auto expected = data_.model.find(db, key.bytes, data_.now);
    const Entry* peeked = keyspace_.peek(db, key, data_.now);
    REQUIRE((peeked != nullptr) == expected.has_value());
    Keyspace::Ahead ahead = keyspace_.prefetch_bucket(db, key);
    Keyspace::prefetch_entry(ahead, key);
    Keyspace::prefetch_entry(ahead, key);
    const Entry* found = random_.one_in(2) ? keyspace_.find(db, key, data_.now) : keyspace_.use(db, key, data_.now);
    REQUIRE(found == peeked);
    if (found != nullptr) REQUIRE(KeyspaceModel::value_of(*found) == *expected);
    REQUIRE(keyspace_.heat(db, key).has_value() == expected.has_value());
  }

  const Plan plan_;
  Random random_;
  ModelledKeyspace data_{kDatabases};
  Keyspace& keyspace_ = data_.keyspace;
  Upkeep upkeep_{data_, random_};
};

/// What all seeds together have made happen; enough of everything, whatever chance the keyspace itself takes.
struct Totals {
  void add(const Twin& twin) {
    const ModelledKeyspace& data = twin.data();
    const Upkeep::Counts& upkeep = twin.upkeep();
    expired += data.expired;
    for (std::size_t policy = 0; policy < evicted.size(); ++policy) evicted[policy] += data.evicted[policy];
    scans += data.scan.finished();
    scanned += data.scan.seen();
    moved += upkeep.moved;
    sweeps += upkeep.sweeps;
    freed += upkeep.freed;
    exhausted += upkeep.exhausted;
  }
  void check() const {
    CHECK(evicted[0] == 0);  // noeviction
    for (std::size_t policy = 1; policy < evicted.size(); ++policy) {
      CAPTURE(policy);
      CHECK(evicted[policy] > 300);
    }
    CHECK(exhausted > 100);
    CHECK(expired > 4000);
    CHECK(scans > 1000);
    CHECK(scanned > 50'000);
    CHECK(moved > 1000);
    CHECK(sweeps > 300);
    CHECK(freed > 3000);
  }

  std::size_t expired = 0;
  decltype(ModelledKeyspace::evicted) evicted{};
  std::size_t scans = 0;
  std::size_t scanned = 0;
  std::size_t moved = 0;
  std::size_t sweeps = 0;
  std::size_t freed = 0;
  std::size_t exhausted = 0;
};

}  // namespace

TEST_CASE("a keyspace agrees with a map under random effects and upkeep, and its log gives the same again") {
  Totals totals;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    CAPTURE(seed);
    const std::int64_t before = magpie::engine::used_memory();
    {
      Twin twin(seed, seed % 2 == 0 ? Plan{40, 500} : Plan{3000, 5000, seed % 4 == 3});
      for (int step = 0; step < 15'000; ++step) {
        if (step % 5000 == 0) twin.fill();
        twin.step();
        if (step % 700 == 0) twin.expire_all();
        if (step % 1000 == 0) twin.check_all();
      }
      twin.check_all();
      twin.check_replay();
      twin.expire_all();
      twin.check_all();
      twin.check_replay();
      totals.add(twin);
    }
    while (magpie::engine::List::free_some(SIZE_MAX) > 0) {
    }
    REQUIRE(magpie::engine::used_memory() == before);
  }
  totals.check();
}
