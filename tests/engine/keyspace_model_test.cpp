// Random effects on a keyspace and on a simple model of it, under a clock that moves by hand.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "server/engine/keyspace.h"
#include "server/engine/memory.h"
#include "tests/engine/keyspace_checks.h"
#include "tests/engine/keyspace_fixture.h"
#include "tests/engine/keyspace_model.h"
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
using magpie::testing::EffectLog;
using magpie::testing::KeyspaceModel;
using magpie::testing::Random;

namespace {

constexpr std::uint32_t kDatabases = 3;

/// A keyspace, its model and its log, driven by one seed.
class Twin {
 public:
  explicit Twin(std::uint64_t seed) : random_(seed), keyspace_({kDatabases, true}) { keyspace_.set_sink(&log_); }

  void step(std::uint64_t keys) {
    if (random_.one_in(10)) now_.ms += static_cast<std::int64_t>(random_.below(50));
    const Db db{static_cast<std::uint32_t>(random_.below(kDatabases))};
    const std::string name = "key" + std::to_string(random_.below(keys));
    const std::uint64_t kind = random_.below(1000);
    if (kind < 2) {
      both(Flush{random_.one_in(4) ? std::nullopt : std::optional(db)}, kAllStripes);
    } else if (kind < 5) {
      both(SwapDb{db, Db{static_cast<std::uint32_t>(random_.below(kDatabases))}}, kAllStripes);
    } else {
      change_key(kind, db, Key::of(name));
    }
  }

  void expire_all() { REQUIRE(magpie::testing::expire_all(keyspace_, now_) == model_.expire(now_)); }

  void check_all() {
    const Keyspace::Guard guard = keyspace_.lock(kAllStripes);
    std::size_t seen = 0;
    for (std::uint32_t number = 0; number < kDatabases; ++number) {
      const Db db{number};
      keyspace_.visit_all(db, [&](Entry& entry) {
        ++seen;
        const auto found = model_.content().find({number, std::string(entry.key())});
        REQUIRE(found != model_.content().end());
        REQUIRE(KeyspaceModel::value_of(entry) == found->second);
      });
      magpie::testing::check_size(keyspace_, db, now_);
    }
    REQUIRE(seen == model_.content().size());
  }

  void check_replay() { magpie::testing::check_replay(log_, keyspace_, kDatabases, now_); }

 private:
  template <class SomeEffect>
  void both(const SomeEffect& effect, magpie::engine::StripeMask mask) {
    const Keyspace::Guard guard = keyspace_.lock(mask);
    keyspace_.apply(effect, now_);
    model_.apply(effect);
  }

  std::optional<Instant> some_expiry() {
    if (random_.one_in(2)) return std::nullopt;
    return Instant{now_.ms - 10 + static_cast<std::int64_t>(random_.below(2000))};
  }

  void change_key(std::uint64_t kind, Db db, const Key& key) {
    const auto mask = mask_of(key.stripe);
    const std::string bytes = random_.bytes(random_.below(random_.one_in(50) ? 3000 : 60));
    if (kind < 600) {
      change_value(kind, db, key, bytes);
    } else if (kind < 700) {
      both(Erase{db, key}, mask);
    } else if (kind < 800) {
      both(SetExpiry{db, key, some_expiry()}, mask);
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
      both(Put{db, key,
               random_.one_in(3) ? StringValue::integer(static_cast<std::int64_t>(random_.next()))
                                 : StringValue::plain(bytes),
               some_expiry()},
           mask);
    } else if (kind < 300 && !size) {
      both(Overwrite{db, key, random_.below(100), bytes}, mask);
    } else if (!size || kind < 400) {
      if (!size) both(Erase{db, key}, mask);
      const std::vector<ByteView> elements(1 + random_.below(random_.one_in(20) ? 300 : 4), bytes);
      both(ListPush{db, key, random_.one_in(2) ? ListEnd::Front : ListEnd::Back, elements}, mask);
    } else {
      change_list(kind, db, key, *size, bytes);
    }
  }

  void change_list(std::uint64_t kind, Db db, const Key& key, std::size_t size, ByteView bytes) {
    const auto mask = mask_of(key.stripe);
    const std::size_t index = random_.below(size);
    if (kind < 450) {
      both(ListSet{db, key, index, bytes}, mask);
    } else if (kind < 500) {
      both(ListInsert{db, key, random_.below(size + 1), bytes}, mask);
    } else if (random_.one_in(3)) {
      both(ListErase{db, key, index, 1 + random_.below(size - index)}, mask);
    } else {
      both(ListErase{db, key, random_.one_in(2) ? 0 : size - 1, 1}, mask);
    }
  }

  /// Nothing if there is no list.
  std::optional<std::size_t> list_size(Db db, const Key& key) {
    const Keyspace::Guard guard = keyspace_.lock(mask_of(key.stripe));
    model_.expire(db, key.bytes, now_);
    const Entry* entry = keyspace_.find(db, key, now_);
    if (entry == nullptr || entry->type() != ValueType::List) return std::nullopt;
    return entry->list().size();
  }

  void copy_value(Db db, const Key& key) {
    const std::string name = "key" + std::to_string(random_.below(40));
    const Key target = Key::of(name);
    const Keyspace::Guard guard = keyspace_.lock(mask_of(key.stripe) | mask_of(target.stripe));
    const Entry* entry = keyspace_.peek(db, key, now_);
    if (entry == nullptr || target.bytes == key.bytes) return;
    const Put put{db, target, entry->value(), entry->expiry()};
    model_.apply(put);
    keyspace_.apply(put, now_);
  }

  void look(Db db, const Key& key) {
    const Keyspace::Guard guard = keyspace_.lock(mask_of(key.stripe));
    const auto expected = model_.find(db, key.bytes, now_);
    const Entry* peeked = keyspace_.peek(db, key, now_);
    REQUIRE((peeked != nullptr) == expected.has_value());
    Keyspace::Ahead ahead = keyspace_.prefetch_bucket(db, key);
    Keyspace::prefetch_entry(ahead, key);
    Keyspace::prefetch_entry(ahead, key);
    const Entry* found = keyspace_.find(db, key, now_);
    REQUIRE(found == peeked);
    if (found != nullptr) REQUIRE(KeyspaceModel::value_of(*found) == *expected);
    model_.expire(db, key.bytes, now_);  // find() erased it
  }

  Random random_;
  Instant now_{1'700'000'000'000};
  KeyspaceModel model_;
  EffectLog log_;
  Keyspace keyspace_;
};

}  // namespace

TEST_CASE("a keyspace agrees with a map under random effects, and its log gives the same again") {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const std::int64_t before = magpie::engine::used_memory();
    {
      Twin twin(seed);
      const std::uint64_t keys = seed % 2 == 0 ? 40 : 3000;
      for (int step = 0; step < 20'000; ++step) {
        twin.step(keys);
        if (step % 700 == 0) twin.expire_all();
        if (step % 1000 == 0) twin.check_all();
      }
      twin.check_all();
      twin.check_replay();
      twin.expire_all();
      twin.check_all();
      twin.check_replay();
    }
    while (magpie::engine::List::free_some(SIZE_MAX) > 0) {
    }
    REQUIRE(magpie::engine::used_memory() == before);
  }
}
