#include "server/engine/keyspace.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "server/engine/memory.h"
#include "tests/engine/keyspace_fixture.h"
#include "tests/engine/keyspace_model.h"

using magpie::ByteView;
using magpie::Db;
using magpie::Instant;
using magpie::engine::Entry;
using magpie::engine::Erase;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::engine::Overwrite;
using magpie::engine::Put;
using magpie::engine::SetExpiry;
using magpie::engine::StringValue;
using magpie::engine::used_memory;
using magpie::testing::EffectLog;
using magpie::testing::expire_all;
using magpie::testing::kNow;
using magpie::testing::number_key;
using magpie::testing::put;

namespace {

constexpr Db kFirst{0};
constexpr Db kSecond{1};

std::string text_at(Keyspace& keyspace, ByteView key) {
  const Entry* entry = keyspace.find(kFirst, Key::of(key), kNow);
  REQUIRE(entry != nullptr);
  return std::string(entry->string().bytes);
}

}  // namespace

TEST_CASE("find erases what is expired and logs it, peek only hides it") {
  Keyspace keyspace({1, true});
  EffectLog log;
  put(keyspace, "key", "value", Instant{kNow.ms + 10});
  keyspace.set_sink(&log);
  const Key key = Key::of("key");
  const Instant later{kNow.ms + 11};
  CHECK(keyspace.peek(kFirst, key, Instant{kNow.ms + 10}) != nullptr);
  CHECK(keyspace.find(kFirst, key, Instant{kNow.ms + 10}) != nullptr);
  CHECK(keyspace.peek(kFirst, key, later) == nullptr);
  CHECK(keyspace.keys(kFirst) == 1);
  CHECK(log.size() == 0);
  CHECK(keyspace.find(kFirst, key, later) == nullptr);
  CHECK(keyspace.keys(kFirst) == 0);
  CHECK(log.size() == 1);
  CHECK(keyspace.counters().expired == 1);
  CHECK(keyspace.find(kFirst, key, later) == nullptr);
  CHECK(log.size() == 1);
}

TEST_CASE("an effect may borrow from the entry that it changes") {
  // The sink reads the effect too: its bytes must still be there, whatever became of the entry.
  struct Reader final : magpie::engine::EffectSink {
    std::string seen;
    void on_effect(const magpie::engine::Effect& effect) override {
      if (const auto* one = std::get_if<Put>(&effect))
        seen = std::string(one->key.bytes) + "=" + std::string(one->value.bytes);
      if (const auto* one = std::get_if<Overwrite>(&effect))
        seen = std::string(one->key.bytes) + "+" + std::string(one->bytes);
      if (const auto* one = std::get_if<SetExpiry>(&effect)) seen = std::string(one->key.bytes) + " expires";
      if (const auto* one = std::get_if<Erase>(&effect)) seen = std::string(one->key.bytes) + " gone";
    }
  };
  Reader reader;
  Keyspace keyspace({1, true});
  keyspace.set_sink(&reader);
  const std::string text(1000, 'v');
  put(keyspace, "a key of some length", text);
  const auto flag = std::make_shared<std::atomic<bool>>(false);
  keyspace.watch(kFirst, Key::of("a key of some length"), flag);
  const auto entry = [&] { return keyspace.find(kFirst, Key::of("a key of some length"), kNow); };

  keyspace.apply(Put{kFirst, Key::of(entry()->key()), entry()->string(), Instant{kNow.ms + 5}}, kNow);
  CHECK(reader.seen == "a key of some length=" + text);
  CHECK(text_at(keyspace, "a key of some length") == text);
  keyspace.apply(SetExpiry{kFirst, Key::of(entry()->key()), std::nullopt}, kNow);
  CHECK(reader.seen == "a key of some length expires");
  keyspace.apply(Overwrite{kFirst, Key::of(entry()->key()), text.size(), entry()->string().bytes}, kNow);
  CHECK(reader.seen == "a key of some length+" + text);
  CHECK(text_at(keyspace, "a key of some length") == text + text);
  keyspace.apply(Erase{kFirst, Key::of(entry()->key())}, kNow);
  CHECK(reader.seen == "a key of some length gone");
  CHECK(flag->load());
}

TEST_CASE("overwriting a missing key makes it, an empty one too") {
  Keyspace keyspace({1, true});
  keyspace.apply(Overwrite{kFirst, Key::of("a"), 0, ByteView()}, kNow);
  keyspace.apply(Overwrite{kFirst, Key::of("b"), 3, "x"}, kNow);
  CHECK(text_at(keyspace, "a").empty());
  CHECK(text_at(keyspace, "b") == std::string("\0\0\0x", 4));
}

TEST_CASE("appending byte by byte takes few allocations and bounded room") {
  Keyspace keyspace({1, true});
  const std::int64_t before = used_memory();
  for (std::size_t size = 0; size < 100'000; ++size) keyspace.apply(Overwrite{kFirst, Key::of("k"), size, "x"}, kNow);
  CHECK(text_at(keyspace, "k") == std::string(100'000, 'x'));
  CHECK(used_memory() - before < 300'000);
}

TEST_CASE("an expiry that is set again and again leaves a bounded index") {
  Keyspace keyspace({1, true});
  for (int round = 0; round < 200; ++round) {
    for (int number = 0; number < 500; ++number) {
      const std::string key = number_key(number);
      // Two times in turns, so that old items of the same time come to life again.
      keyspace.apply(Put{kFirst, Key::of(key), StringValue::integer(round), Instant{kNow.ms + 1000 + round % 2}}, kNow);
    }
  }
  CHECK(keyspace.size(kFirst, kNow).volatile_keys == 500);
  CHECK(keyspace.overhead_memory() < sizeof(Keyspace) + 64 * (4096 + 2048 + 200) + 500 * 16 * 4 + 64 * 128 * 16);
  CHECK(expire_all(keyspace, Instant{kNow.ms + 1002}) == 500);
}

TEST_CASE("active expiry goes on behind any number of outdated times, in bounded steps") {
  Keyspace keyspace({1, true});
  for (int number = 0; number < 200; ++number) put(keyspace, "{t}" + std::to_string(number), "v", Instant{kNow.ms + 1});
  for (int number = 0; number < 199; ++number) {
    const std::string key = "{t}" + std::to_string(number);
    keyspace.apply(SetExpiry{kFirst, Key::of(key), Instant{kNow.ms + 9999}}, kNow);
  }
  const auto stripe = Key::of("{t}").stripe;
  int calls = 1;
  while (keyspace.expire_some(stripe, Instant{kNow.ms + 2}, 2) >= 2) ++calls;
  CHECK(calls >= 2);
  CHECK(keyspace.counters().expired == 1);
  CHECK(keyspace.keys(kFirst) == 199);
  CHECK(keyspace.expire_some(stripe, Instant{kNow.ms + 2}, 20) == 0);
}

TEST_CASE("active expiry can be switched off") {
  Keyspace keyspace({1, true});
  put(keyspace, "k", "v", kNow);
  const Instant later{kNow.ms + 1};
  CHECK(expire_all(keyspace, kNow) == 0);  // not over yet
  keyspace.set_active_expiry(false);
  CHECK(expire_all(keyspace, later) == 0);
  keyspace.set_active_expiry(true);
  CHECK(expire_all(keyspace, later) == 1);
}

TEST_CASE("sizes and the mean time to live") {
  Keyspace keyspace({2, true});
  for (int number = 0; number < 1000; ++number) {
    put(keyspace, number_key(number), "v",
        number % 2 == 0 ? std::optional(Instant{kNow.ms + 1000 + number}) : std::nullopt);
  }
  const Keyspace::DatabaseSize size = keyspace.size(kFirst, kNow);
  CHECK(size.keys == 1000);
  CHECK(size.volatile_keys == 500);
  CHECK(size.mean_ttl_ms >= 1498);
  CHECK(size.mean_ttl_ms <= 1500);
  CHECK(keyspace.size(Db{1}, kNow).keys == 0);
  CHECK(keyspace.size(kFirst, Instant{kNow.ms + 100'000}).mean_ttl_ms == 0);
}

TEST_CASE("the mean of the longest times to live is no overflow") {
  Keyspace keyspace({1, true});
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  for (int number = 0; number < 300; ++number) put(keyspace, number_key(number), "v", Instant{kLast});
  CHECK(keyspace.size(kFirst, kNow).mean_ttl_ms == kLast - kNow.ms);
}

TEST_CASE("the digest depends on content, not on history or form") {
  Keyspace one({2, true});
  Keyspace two({2, true});
  CHECK(one.digest() == two.digest());
  for (int number = 0; number < 500; ++number) put(one, number_key(number), "v");
  CHECK(one.digest() != two.digest());
  for (int number = 499; number >= 0; --number) put(two, number_key(number), "old");
  for (int number = 0; number < 500; ++number) put(two, number_key(number), "v");
  CHECK(one.digest() == two.digest());
  put(two, "extra", "v");
  CHECK(one.digest() != two.digest());
  two.apply(Erase{kFirst, Key::of("extra")}, kNow);
  CHECK(one.digest() == two.digest());
  one.apply(Put{kFirst, Key::of("n"), StringValue::integer(12), {}}, kNow);
  put(two, "n", "12");
  CHECK(one.digest() == two.digest());
  one.apply(SetExpiry{kFirst, Key::of("n"), Instant{5}}, kNow);
  CHECK(one.digest() != two.digest());
}

TEST_CASE("the digest tells databases and keys with swapped values apart") {
  Keyspace one({2, true});
  Keyspace two({2, true});
  one.apply(Put{Db{0}, Key::of("k"), StringValue::plain("v"), {}}, kNow);
  two.apply(Put{Db{1}, Key::of("k"), StringValue::plain("v"), {}}, kNow);
  CHECK(one.digest() != two.digest());
  Keyspace three({2, true});
  Keyspace four({2, true});
  put(three, "a", "1");
  put(three, "b", "2");
  put(four, "a", "2");
  put(four, "b", "1");
  CHECK(three.digest() != four.digest());
}

TEST_CASE("one thread alone needs no locks") {
  Keyspace keyspace({1, false});
  const Keyspace::Guard first = keyspace.lock(magpie::engine::kAllStripes);
  const Keyspace::Guard second = keyspace.lock(magpie::engine::kAllStripes);
  put(keyspace, "k", "v");
  CHECK(text_at(keyspace, "k") == "v");
}

TEST_CASE("a database where keys always fall due does not keep others from expiring") {
  constexpr std::size_t kLimit = 20;
  Keyspace keyspace({3, true});
  const auto due = [&](Db db, const std::string& name) {
    keyspace.apply(Put{db, Key::of(name), StringValue::plain("v"), Instant{kNow.ms - 1}}, kNow);
  };
  const auto stripe = Key::of("{t}").stripe;
  due(kSecond, "{t}rare");
  for (int round = 0; round < 3; ++round) {
    for (int number = 0; number < 100; ++number) due(kFirst, "{t}" + std::to_string(number));
    keyspace.expire_some(stripe, kNow, kLimit);
  }
  CHECK(keyspace.keys(kSecond) == 0);
  CHECK(keyspace.keys(kFirst) > 0);
}
