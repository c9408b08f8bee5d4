// Four threads change, copy, expire, evict and free lists at once; afterwards every list is whole, and the logs of what
// happened give the same.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "server/engine/keyspace.h"
#include "server/engine/memory.h"
#include "tests/engine/keyspace_checks.h"
#include "tests/engine/keyspace_fixture.h"
#include "tests/engine/keyspace_model.h"
#include "tests/engine/random.h"
#include "tests/engine/whole_element.h"

using magpie::ByteView;
using magpie::Db;
using magpie::Instant;
using magpie::engine::Effect;
using magpie::engine::EffectSink;
using magpie::engine::Entry;
using magpie::engine::Erase;
using magpie::engine::EvictionPolicy;
using magpie::engine::IntegerScratch;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::engine::kStripes;
using magpie::engine::List;
using magpie::engine::ListEnd;
using magpie::engine::ListErase;
using magpie::engine::ListInsert;
using magpie::engine::ListPush;
using magpie::engine::ListSet;
using magpie::engine::ListView;
using magpie::engine::Put;
using magpie::engine::SetExpiry;
using magpie::engine::StripeIndex;
using magpie::engine::used_memory;
using magpie::testing::EffectLog;
using magpie::testing::is_whole;
using magpie::testing::kNow;
using magpie::testing::Random;
using magpie::testing::whole_element;

namespace {

constexpr Db kDb{0};
constexpr int kSteps = 6000;

/// A log for each stripe, guarded by the stripe's lock and by no other, which would hide that one is missing.
class StripeLogs final : public EffectSink {
 public:
  void on_effect(const Effect& effect) override {
    std::visit(
        [&](const auto& one) {
          if constexpr (requires { one.key; }) logs_[index_of(one.key.stripe)].on_effect(effect);
        },
        effect);
  }
  void replay_into(Keyspace& keyspace) const {
    for (const EffectLog& log : logs_) log.replay_into(keyspace, kNow);
  }

 private:
  std::array<EffectLog, kStripes> logs_;
};

/// Whether up to `count` elements from `first` on are whole.
bool is_whole_from(const ListView& list, std::size_t first, std::size_t count) {
  ListView::Cursor at(list, first);
  for (; count > 0 && at.valid(); --count, at.next()) {
    IntegerScratch scratch;
    if (!is_whole(text_of(at.value(), scratch))) return false;
  }
  return true;
}

class Worker {
 public:
  Worker(Keyspace& keyspace, std::uint64_t seed) : keyspace_(keyspace), random_(seed) {}

  void run() {
    for (int step = 0; step < kSteps; ++step) {
      if (random_.one_in(20)) now_.ms += 1;
      switch (random_.below(16)) {
        case 0:
          copy();
          break;
        case 1:
          keep();
          break;
        case 2:
        case 3:
          in_background();
          break;
        default:
          change();
      }
    }
    for (const Kept& one : kept_) good_ = good_ && is_as_kept(one);
  }
  /// Whatever it has seen was right.
  bool good() const { return good_; }
  std::size_t freed() const { return freed_; }

 private:
  /// A copy that others share parts of, and what it had to hold.
  struct Kept {
    List list;
    std::vector<std::string> elements;
  };
  static bool is_as_kept(const Kept& one) {
    return one.elements == magpie::testing::elements_of(ListView(one.list)) && one.list.consistent();
  }

  /// Of some that all use and that grow large, or of many.
  std::string some_name() { return "l" + std::to_string(random_.below(random_.one_in(3) ? 2000 : 20)); }
  std::optional<Instant> some_expiry() {
    if (random_.one_in(2)) return std::nullopt;
    return Instant{now_.ms + static_cast<std::int64_t>(random_.below(300))};
  }
  std::string some_element() { return whole_element(random_.below(1'000'000)); }
  StripeIndex some_stripe() { return StripeIndex{static_cast<std::uint8_t>(random_.below(kStripes))}; }
  void look(const ListView& list) { good_ = good_ && is_whole_from(list, random_.below(list.size()), 10); }

  void push(const Key& key) {
    std::vector<std::string> elements(1 + random_.below(random_.one_in(10) ? 100 : 4));
    for (std::string& element : elements) element = some_element();
    const std::vector<ByteView> views(elements.begin(), elements.end());
    keyspace_.apply(ListPush{kDb, key, random_.one_in(2) ? ListEnd::Front : ListEnd::Back, views}, now_);
  }

  void change() {
    const std::string name = some_name();
    const Key key = Key::of(name);
    const Keyspace::Guard guard = keyspace_.lock(mask_of(key.stripe));
    const Entry* const entry = keyspace_.use(kDb, key, now_);
    if (entry == nullptr) return push(key);
    look(entry->list());
    change(key, entry->list().size());
  }

  void change(const Key& key, std::size_t size) {
    const std::size_t index = random_.below(size);
    switch (random_.below(12)) {
      case 0:
      case 1:
        return keyspace_.apply(ListSet{kDb, key, index, some_element()}, now_);
      case 2:
      case 3:
        return keyspace_.apply(ListInsert{kDb, key, random_.below(size + 1), some_element()}, now_);
      case 4:
        return keyspace_.apply(ListErase{kDb, key, random_.one_in(2) ? 0 : size - 1, 1}, now_);
      case 5:
        return keyspace_.apply(ListErase{kDb, key, index, 1 + random_.below(std::min<std::size_t>(size - index, 5))},
                               now_);
      case 6:
        if (random_.one_in(3)) return keyspace_.apply(ListErase{kDb, key, index, size - index}, now_);
        return keyspace_.apply(SetExpiry{kDb, key, some_expiry()}, now_);
      case 7:
        if (random_.one_in(10)) return keyspace_.apply(Erase{kDb, key}, now_);
        return push(key);
      default:
        push(key);
    }
  }

  void copy() {
    const std::string from = some_name();
    const std::string to = some_name();
    if (from == to) return;
    const Key source = Key::of(from);
    const Key target = Key::of(to);
    const Keyspace::Guard guard = keyspace_.lock(mask_of(source.stripe) | mask_of(target.stripe));
    const Entry* const entry = keyspace_.peek(kDb, source, now_);
    if (entry != nullptr) keyspace_.apply(Put{kDb, target, entry->value(), some_expiry()}, now_);
  }

  /// In the place of another one, which must not have changed, whatever happened to the lists that it shares with.
  void keep() {
    Kept fresh;
    {
      const std::string name = some_name();
      const Key key = Key::of(name);
      const Keyspace::Guard guard = keyspace_.lock(mask_of(key.stripe));
      const Entry* const entry = keyspace_.peek(kDb, key, now_);
      if (entry == nullptr || entry->list().large() == nullptr) return;
      fresh = {*entry->list().large(), magpie::testing::elements_of(entry->list())};
    }
    good_ = good_ && is_as_kept(fresh);
    Kept& last = kept_[random_.below(kept_.size())];
    good_ = good_ && is_as_kept(last);
    last = std::move(fresh);
  }

  void in_background() {
    switch (random_.below(8)) {
      case 0:
        keyspace_.set_eviction({.policy = static_cast<EvictionPolicy>(random_.below(8))});
        return;
      case 1:
      case 2:
        keyspace_.make_room(used_memory() - static_cast<std::int64_t>(random_.below(20'000)), now_, 4);
        return;
      case 3:
        keyspace_.compact_some(some_stripe(), 20);
        return;
      case 4:
        cursor_ = keyspace_.scan(kDb, cursor_, 5, false, [&](Entry& entry) { look(entry.list()); });
        return;
      case 5:
        freed_ += keyspace_.free_some(1 + random_.below(10));
        return;
      default:
        keyspace_.expire_some(some_stripe(), now_, 20);
    }
  }

  Keyspace& keyspace_;
  Random random_;
  std::array<Kept, 3> kept_;
  Instant now_ = kNow;
  std::uint64_t cursor_ = 0;
  std::size_t freed_ = 0;
  bool good_ = true;
};

void free_all() {
  while (List::free_some(1000) > 0) {
  }
}

void run_all(std::vector<Worker>& workers) {
  std::vector<std::thread> threads;
  threads.reserve(workers.size());
  for (Worker& worker : workers) threads.emplace_back([&worker] { worker.run(); });
  for (std::thread& thread : threads) thread.join();
}

/// Lists of both kinds, all of them whole.
void check_lists(const Keyspace& keyspace) {
  std::size_t packed = 0;
  std::size_t large = 0;
  keyspace.visit_all(kDb, [&](Entry& entry) {
    const ListView list = entry.list();
    REQUIRE(list.size() > 0);
    REQUIRE(is_whole_from(list, 0, list.size()));
    REQUIRE((list.large() == nullptr || list.large()->consistent()));
    ++(list.large() == nullptr ? packed : large);
  });
  CHECK(packed > 0);
  CHECK(large > 0);
  magpie::testing::check_size(keyspace, kDb, kNow);
}

}  // namespace

TEST_CASE("threads change, copy, expire, evict and free lists at once") {
  free_all();
  const std::int64_t before = used_memory();
  {
    StripeLogs logs;
    Keyspace keyspace({1, true});
    keyspace.set_sink(&logs);
    std::vector<Worker> workers;
    workers.reserve(4);
    for (std::uint64_t seed = 0; seed < 4; ++seed) workers.emplace_back(keyspace, seed);
    run_all(workers);

    for (const Worker& worker : workers) CHECK(worker.good());
    CHECK(std::ranges::any_of(workers, [](const Worker& worker) { return worker.freed() > 0; }));
    CHECK(keyspace.counters().expired > 0);
    CHECK(keyspace.counters().evicted > 0);
    check_lists(keyspace);
    Keyspace again({1, true});
    logs.replay_into(again);
    CHECK(again.digest() == keyspace.digest());
  }
  free_all();
  CHECK(used_memory() == before);
}
