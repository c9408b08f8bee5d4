#include <doctest/doctest.h>

#include <string>

#include "server/engine/keyspace.h"
#include "tests/engine/keyspace_fixture.h"

using magpie::Db;
using magpie::Instant;
using magpie::engine::Erase;
using magpie::engine::Flush;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::engine::Overwrite;
using magpie::engine::Put;
using magpie::engine::SetExpiry;
using magpie::engine::StringValue;
using magpie::engine::SwapDb;
using magpie::engine::WatchFlag;
using magpie::testing::expire_all;
using magpie::testing::kNow;
using magpie::testing::put;

namespace {

WatchFlag new_flag() { return std::make_shared<std::atomic<bool>>(false); }

/// Three databases; "there" exists in database 0, watched by a flag, as is "absent".
struct Fixture {
  Keyspace keyspace{{3, true}};
  WatchFlag there = new_flag();
  WatchFlag absent = new_flag();

  Fixture() {
    put(keyspace, "there", "value");
    keyspace.watch(Db{0}, Key::of("there"), there);
    keyspace.watch(Db{0}, Key::of("absent"), absent);
  }
  template <class Effect>
  void apply(const Effect& effect) {
    keyspace.apply(effect, kNow);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "every change of a watched key raises its flag") {
  SUBCASE("put") { apply(Put{Db{0}, Key::of("there"), StringValue::plain("value"), {}}); }
  SUBCASE("overwrite") { apply(Overwrite{Db{0}, Key::of("there"), 1, "x"}); }
  SUBCASE("erase") { apply(Erase{Db{0}, Key::of("there")}); }
  SUBCASE("set expiry") { apply(SetExpiry{Db{0}, Key::of("there"), Instant{kNow.ms + 1}}); }
  SUBCASE("flush") { apply(Flush{Db{0}}); }
  SUBCASE("flush of all") { apply(Flush{std::nullopt}); }
  SUBCASE("swap") { apply(SwapDb{Db{1}, Db{0}}); }
  CHECK(there->load());
  CHECK_FALSE(absent->load());
}

TEST_CASE_FIXTURE(Fixture, "what does not change a watched key leaves its flag") {
  apply(Put{Db{1}, Key::of("there"), StringValue::plain("value"), {}});
  apply(Put{Db{0}, Key::of("other"), StringValue::plain("value"), {}});
  apply(Erase{Db{0}, Key::of("absent")});
  apply(SetExpiry{Db{0}, Key::of("absent"), Instant{5}});
  apply(Flush{Db{1}});
  apply(SwapDb{Db{1}, Db{2}});
  CHECK_FALSE(there->load());
  CHECK_FALSE(absent->load());
}

TEST_CASE_FIXTURE(Fixture, "a watched key that comes to be raises its flag") {
  SUBCASE("put") { apply(Put{Db{0}, Key::of("absent"), StringValue::plain("value"), {}}); }
  SUBCASE("overwrite") { apply(Overwrite{Db{0}, Key::of("absent"), 0, "x"}); }
  SUBCASE("swap") {
    apply(Put{Db{2}, Key::of("absent"), StringValue::plain("value"), {}});
    CHECK_FALSE(absent->load());
    apply(SwapDb{Db{0}, Db{2}});
  }
  CHECK(absent->load());
}

TEST_CASE_FIXTURE(Fixture, "replay raises flags as apply does") {
  keyspace.replay(Erase{Db{0}, Key::of("there")}, kNow);
  CHECK(there->load());
}

TEST_CASE_FIXTURE(Fixture, "an expiry raises the flag, found or swept") {
  apply(SetExpiry{Db{0}, Key::of("there"), Instant{kNow.ms + 5}});
  there->store(false);
  SUBCASE("found") { CHECK(keyspace.find(Db{0}, Key::of("there"), Instant{kNow.ms + 6}) == nullptr); }
  SUBCASE("swept") { CHECK(expire_all(keyspace, Instant{kNow.ms + 6}) == 1); }
  CHECK(there->load());
}

TEST_CASE_FIXTURE(Fixture, "each watcher has its flag, and only those that still watch") {
  const WatchFlag second = new_flag();
  keyspace.watch(Db{0}, Key::of("there"), second);
  keyspace.watch(Db{0}, Key::of("there"), second);
  keyspace.unwatch(Db{0}, Key::of("there"), there);
  keyspace.unwatch(Db{0}, Key::of("never watched"), there);
  apply(Erase{Db{0}, Key::of("there")});
  CHECK(second->load());
  CHECK_FALSE(there->load());
  keyspace.unwatch(Db{0}, Key::of("there"), second);
  CHECK(second.use_count() == 1);
}
