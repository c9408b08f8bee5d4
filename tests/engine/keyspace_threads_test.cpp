// Four threads do everything at once; afterwards the keyspace is whole, and the log of what happened gives the same.
#include <doctest/doctest.h>

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/engine/keyspace.h"
#include "server/engine/memory.h"
#include "tests/engine/keyspace_checks.h"
#include "tests/engine/keyspace_fixture.h"
#include "tests/engine/keyspace_model.h"
#include "tests/engine/random.h"

using magpie::Db;
using magpie::Instant;
using magpie::engine::Effect;
using magpie::engine::EffectSink;
using magpie::engine::Entry;
using magpie::engine::Erase;
using magpie::engine::EvictionPolicy;
using magpie::engine::Flush;
using magpie::engine::kAllStripes;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::engine::kStripes;
using magpie::engine::Overwrite;
using magpie::engine::Put;
using magpie::engine::SetExpiry;
using magpie::engine::StringValue;
using magpie::engine::StripeIndex;
using magpie::engine::SwapDb;
using magpie::engine::used_memory;
using magpie::testing::EffectLog;
using magpie::testing::kNow;
using magpie::testing::Random;

namespace {

constexpr std::uint32_t kDatabases = 2;

/// Effects of one key come in order under its stripe's lock, those of all keys under all locks.
class SharedLog final : public EffectSink {
 public:
  void on_effect(const Effect& effect) override {
    const std::lock_guard guard(lock_);
    log_.on_effect(effect);
  }
  const EffectLog& log() const { return log_; }

 private:
  std::mutex lock_;
  EffectLog log_;
};

class Worker {
 public:
  Worker(Keyspace& keyspace, std::uint64_t seed)
      : keyspace_(keyspace), random_(seed), flag_(std::make_shared<std::atomic<bool>>(false)) {}

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      if (random_.one_in(20)) now_.ms += 1;
      random_.one_in(25) ? whole() : one_key();
    }
  }

 private:
  Db some_db() { return Db{static_cast<std::uint32_t>(random_.below(kDatabases))}; }
  std::optional<Instant> some_expiry() {
    if (random_.one_in(2)) return std::nullopt;
    return Instant{now_.ms + static_cast<std::int64_t>(random_.below(200))};
  }

  void one_key() {
    const std::string name = "k" + std::to_string(random_.below(2000));
    const Key key = Key::of(name);
    const Db db = some_db();
    const std::string bytes = random_.bytes(random_.below(100));
    Keyspace::Ahead ahead = keyspace_.prefetch_bucket(db, key);  // without the lock, whatever the others do meanwhile
    Keyspace::prefetch_entry(ahead, key);
    Keyspace::prefetch_entry(ahead, key);
    const Keyspace::Guard guard = keyspace_.lock(mask_of(key.stripe));
    switch (random_.below(8)) {
      case 0:
      case 1:
      case 2:
        return keyspace_.apply(Put{db, key, StringValue::compact(bytes), some_expiry()}, now_);
      case 3:
        return keyspace_.apply(Overwrite{db, key, random_.below(50), bytes}, now_);
      case 4:
        return keyspace_.apply(Erase{db, key}, now_);
      case 5:
        return keyspace_.apply(SetExpiry{db, key, some_expiry()}, now_);
      case 6:
        random_.one_in(2) ? keyspace_.watch(db, key, flag_) : keyspace_.unwatch(db, key, flag_);
        return;
      default:
        keyspace_.use(db, key, now_);
    }
  }

  void whole() {
    const Db db = some_db();
    switch (random_.below(10)) {
      case 0: {
        if (!random_.one_in(10)) return;
        const Keyspace::Guard guard = keyspace_.lock(kAllStripes);
        if (random_.one_in(2)) return keyspace_.apply(SwapDb{Db{0}, Db{1}}, now_);
        return keyspace_.apply(Flush{random_.one_in(2) ? std::nullopt : std::optional(db)}, now_);
      }
      case 1:
        keyspace_.set_eviction({.policy = static_cast<EvictionPolicy>(random_.below(8))});
        return;
      case 2:
      case 3:
        keyspace_.make_room(used_memory() - static_cast<std::int64_t>(random_.below(2000)), now_, 100);
        return;
      case 4:
        cursor_ = keyspace_.scan(db, cursor_, 20, false, [](Entry& entry) { REQUIRE(entry.key().starts_with('k')); });
        return;
      case 5:
        keyspace_.random_key(db, now_, false);
        return;
      case 6:
        keyspace_.free_some(20);
        return;
      case 7: {
        magpie::engine::note_peak();
        const Keyspace::Guard guard = keyspace_.lock(kAllStripes);
        REQUIRE(keyspace_.size(db, now_).keys == keyspace_.keys(db));
        return;
      }
      default:
        keyspace_.expire_some(StripeIndex{static_cast<std::uint8_t>(random_.below(kStripes))}, now_, 20);
    }
  }

  Keyspace& keyspace_;
  Random random_;
  magpie::engine::WatchFlag flag_;
  Instant now_ = kNow;
  std::uint64_t cursor_ = 0;
};

}  // namespace

TEST_CASE("threads do everything at once") {
  const std::int64_t before = used_memory();
  {
    SharedLog log;
    Keyspace keyspace({kDatabases, true});
    keyspace.set_sink(&log);
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      threads.emplace_back([&keyspace, seed] { Worker(keyspace, seed).run(20'000); });
    }
    for (std::thread& thread : threads) thread.join();

    magpie::testing::check_replay(log.log(), keyspace, kDatabases, kNow);
    for (std::uint32_t number = 0; number < kDatabases; ++number)
      magpie::testing::check_size(keyspace, Db{number}, kNow);
    while (keyspace.free_some(100) > 0) {
    }
    CHECK(keyspace.pending_lazy_free() == 0);
  }
  CHECK(used_memory() == before);
}
