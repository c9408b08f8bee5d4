#pragma once

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <unordered_set>
#include <variant>

#include "server/engine/keyspace.h"
#include "server/engine/memory.h"
#include "tests/engine/keyspace_model.h"
#include "tests/engine/random.h"

namespace magpie::testing {

/// One scan of a database while keys come and go: what is there from start to end must be seen.
class ScanCheck {
 public:
  bool going_on() const { return cursor_ != 0; }
  Db db() const { return db_; }
  /// Of all finished scans: keys that were seen for the first time, having been there since the start.
  std::size_t seen() const { return seen_; }
  std::size_t finished() const { return finished_; }

  void begin(Db db, const KeyspaceModel& model) {
    db_ = db;
    unseen_.clear();
    for (const auto& [id, value] : model.content()) {
      if (id.first == index_of(db)) unseen_.insert(id.second);
    }
  }
  void go_on(engine::Keyspace& keyspace, std::size_t count, const KeyspaceModel& model) {
    cursor_ = keyspace.scan(db_, cursor_, count, false, [&](engine::Entry& entry) {
      const auto found = model.content().find({index_of(db_), std::string(entry.key())});
      REQUIRE(found != model.content().end());
      REQUIRE(KeyspaceModel::value_of(entry) == found->second);
      seen_ += unseen_.erase(std::string(entry.key()));
    });
    if (going_on()) return;
    REQUIRE(unseen_.empty());
    ++finished_;
  }
  /// The model has changed: who left need not be seen any more.
  void changed(const engine::Effect& effect, const KeyspaceModel& model) {
    std::visit([&](const auto& one) { forget(one, model); }, effect);
  }

 private:
  template <class KeyEffect>
  void forget(const KeyEffect& effect, const KeyspaceModel& model) {
    const std::string key(effect.key.bytes);
    if (effect.db == db_ && !model.content().contains({index_of(db_), key})) unseen_.erase(key);
  }
  void forget(const engine::Flush& flush, const KeyspaceModel&) {
    if (!flush.db || *flush.db == db_) unseen_.clear();
  }
  void forget(const engine::SwapDb& swap, const KeyspaceModel&) {
    if (swap.first == db_ || swap.second == db_) unseen_.clear();
  }

  Db db_{};
  std::uint64_t cursor_ = 0;
  std::set<std::string> unseen_;
  std::size_t seen_ = 0;
  std::size_t finished_ = 0;
};

/// A keyspace with its model and its log, which both hear of every effect. What the keyspace erases by itself must be
/// there and be allowed to go.
struct ModelledKeyspace final : engine::EffectSink {
  explicit ModelledKeyspace(std::uint32_t databases) : keyspace({databases, true}) { keyspace.set_sink(this); }

  void on_effect(const engine::Effect& effect) override {
    log.on_effect(effect);
    if (const auto* erase = std::get_if<engine::Erase>(&effect)) check(*erase);
    model.apply(effect);
    scan.changed(effect, model);
  }

  Instant now{1'700'000'000'000};
  KeyspaceModel model;
  EffectLog log;
  ScanCheck scan;
  engine::Keyspace keyspace;
  bool makes_room = false;
  std::size_t expired = 0;
  std::array<std::size_t, 8> evicted{};  // by policy

 private:
  void check(const engine::Erase& erase) {
    if (erase.reason == engine::EraseReason::Command) {
      REQUIRE_FALSE(makes_room);
      return;
    }
    const auto found = model.content().find({index_of(erase.db), std::string(erase.key.bytes)});
    REQUIRE(found != model.content().end());
    if (erase.reason == engine::EraseReason::Expired) {
      REQUIRE(KeyspaceModel::due(found->second, now));
      ++expired;
      return;
    }
    const engine::EvictionPolicy policy = keyspace.policy();
    REQUIRE(makes_room);
    REQUIRE(KeyspaceModel::may_go(found->second, policy));
    ++evicted[static_cast<std::size_t>(policy)];
  }
};

/// What a node does beside commands: eviction, expiry, scans, compaction, sweeps, freeing; at random.
class Upkeep {
 public:
  /// How much has happened, so that a test can tell that something has.
  struct Counts {
    std::size_t moved = 0;  // entries by compaction, as far as somebody looked
    std::size_t sweeps = 0;  // calls that left something to do
    std::size_t freed = 0;
    std::size_t exhausted = 0;  // calls of make_room() that have erased all that may go
  };

  Upkeep(ModelledKeyspace& data, Random& random) : data_(data), keyspace_(data.keyspace), random_(random) {}
  const Counts& counts() const { return counts_; }

  void step(engine::StripeIndex stripe) {
    switch (random_.below(8)) {
      case 0:
        return make_room();
      case 1:
        return choose_policy();
      case 2:
        return compact(stripe);
      case 3:
        counts_.sweeps += keyspace_.sweep_heats(data_.now, 1 + random_.below(100)) ? 1 : 0;
        return;
      case 4:
        return free_some();
      case 5:
        return expire_some(stripe);
      default:
        return scan(Db{static_cast<std::uint32_t>(random_.below(keyspace_.databases()))});
    }
  }

 private:
  std::size_t keys() const { return data_.model.content().size(); }
  std::uint64_t keys_there() const {
    std::uint64_t sum = 0;
    for (std::uint32_t db = 0; db < keyspace_.databases(); ++db) sum += keyspace_.keys(Db{db});
    return sum;
  }

  void make_room() {
    const bool everything = random_.one_in(200);
    const bool much = random_.one_in(20);
    const std::int64_t before = engine::used_memory();
    const std::int64_t limit =
        everything ? 0 : before + 1000 - static_cast<std::int64_t>(random_.below(much ? 200'000 : 2500));
    const std::size_t most = everything ? SIZE_MAX : random_.below(much ? 500 : 20);
    const std::size_t keys_before = keys();
    data_.makes_room = true;
    const engine::Keyspace::Room room = keyspace_.make_room(limit, data_.now, most);
    data_.makes_room = false;
    REQUIRE(keys_there() == keys());
    REQUIRE(keys_before - keys() <= (before <= limit ? 0 : most));
    if (room == engine::Keyspace::Room::Enough) REQUIRE(engine::used_memory() <= limit);
    if (room == engine::Keyspace::Room::NotYet) REQUIRE(engine::used_memory() > limit);
    if (room != engine::Keyspace::Room::None) return;
    for (const auto& [id, value] : data_.model.content()) {
      REQUIRE_FALSE(KeyspaceModel::may_go(value, keyspace_.policy()));
    }
    if (keyspace_.policy() != engine::EvictionPolicy::NoEviction) ++counts_.exhausted;
  }

  void choose_policy() {
    if (!random_.one_in(10)) return;
    keyspace_.set_eviction({.policy = static_cast<engine::EvictionPolicy>(random_.below(data_.evicted.size())),
                            .samples = 1 + static_cast<unsigned>(random_.below(10))});
  }

  void compact(engine::StripeIndex stripe) {
    const std::size_t limit = 1 + random_.below(10);
    if (!random_.one_in(10)) {
      keyspace_.compact_some(stripe, limit);
      return;
    }
    // To the end, with a look at who has moved.
    const std::unordered_set<const engine::Entry*> before = places();
    while (keyspace_.compact_some(stripe, limit)) {
    }
    const std::unordered_set<const engine::Entry*> after = places();
    REQUIRE(after.size() == before.size());
    for (const engine::Entry* entry : after) counts_.moved += before.contains(entry) ? 0 : 1;
  }
  std::unordered_set<const engine::Entry*> places() const {
    std::unordered_set<const engine::Entry*> places;
    for (std::uint32_t db = 0; db < keyspace_.databases(); ++db) {
      keyspace_.visit_all(Db{db}, [&](const engine::Entry& entry) { places.insert(&entry); });
    }
    return places;
  }

  void free_some() {
    const std::size_t freed = keyspace_.free_some(1 + random_.below(100));
    if (freed == 0) REQUIRE(keyspace_.pending_lazy_free() == 0);
    counts_.freed += freed;
  }

  void expire_some(engine::StripeIndex stripe) {
    const std::size_t limit = 1 + random_.below(20);
    if (keyspace_.expire_some(stripe, data_.now, limit) >= limit || !random_.one_in(10)) return;
    for (const auto& [id, value] : data_.model.content()) {
      REQUIRE((engine::Key::of(id.second).stripe != stripe || !KeyspaceModel::due(value, data_.now)));
    }
  }

  void scan(Db db) {
    if (!data_.scan.going_on()) data_.scan.begin(db, data_.model);
    data_.scan.go_on(keyspace_, 1 + random_.below(50), data_.model);
  }

  ModelledKeyspace& data_;
  engine::Keyspace& keyspace_;
  Random& random_;
  Counts counts_;
};

}  // namespace magpie::testing
