#include "server/replication/effect_log.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/engine/effect_codec.h"
#include "server/engine/keyspace.h"
#include "tests/replication/log_reader.h"

using magpie::Db;
using magpie::Instant;
using magpie::Lsn;
using magpie::engine::Erase;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::engine::Put;
using magpie::engine::StringValue;
using magpie::server::EffectLog;
using magpie::server::LogSegment;
using magpie::testing::effects_of;
using magpie::testing::read_log;
using magpie::testing::Records;
using magpie::testing::replay;

namespace {

constexpr std::size_t kCapacity = std::size_t{1} << 20;
constexpr Instant kNow{1'700'000'000'000};

void put(Keyspace& keyspace, const std::string& key, const std::string& value) {
  keyspace.apply(Put{Db{0}, Key::of(key), StringValue::plain(value), std::nullopt}, kNow);
}

}  // namespace

TEST_CASE("what is done to a keyspace stands in its log, and does the same again") {
  Keyspace keyspace({4, true});
  EffectLog log(kCapacity, Lsn{1});
  keyspace.set_sink(&log);
  for (int i = 0; i < 1000; ++i) put(keyspace, "key" + std::to_string(i % 300), std::string(i % 70, 'v'));
  for (int i = 0; i < 100; ++i) keyspace.apply(Erase{Db{0}, Key::of("key" + std::to_string(i))}, kNow);
  keyspace.set_sink(nullptr);
  const Records records = read_log(log, Lsn{1});
  CHECK(records.size() == 1100);
  Keyspace again({4, true});
  replay(records, again, kNow);
  CHECK(again.keys(Db{0}) == 200);
  CHECK(again.digest() == keyspace.digest());
}

TEST_CASE("a group is one record, empty ones are none, and groups may lie in one another") {
  Keyspace keyspace({1, true});
  EffectLog log(kCapacity, Lsn{1});
  keyspace.set_sink(&log);
  put(keyspace, "before", "v");
  {
    const Keyspace::Group nothing(keyspace);
  }
  {
    const Keyspace::Group outer(keyspace);
    put(keyspace, "a", "1");
    const Lsn end = log.end();
    {
      const Keyspace::Group inner(keyspace);
      put(keyspace, "b", "2");
    }
    put(keyspace, "c", "3");
    CHECK(log.end() == end);  // nobody sees a part of it
  }
  put(keyspace, "after", "v");
  const Records records = read_log(log, Lsn{1});
  REQUIRE(records.size() == 3);
  CHECK(effects_of(records[0]) == 1);
  CHECK(effects_of(records[1]) == 3);
  CHECK(effects_of(records[2]) == 1);
}

TEST_CASE("the log keeps its last bytes, in segments that stay while they are read") {
  EffectLog log(kCapacity, Lsn{1'000});
  CHECK(log.begin() == Lsn{1'000});
  CHECK(log.end() == Lsn{1'000});
  CHECK(log.segment_at(Lsn{1'000}) == nullptr);
  Keyspace keyspace({1, true});
  keyspace.set_sink(&log);
  put(keyspace, "first", std::string(100, 'f'));
  const std::shared_ptr<const LogSegment> first = log.segment_at(Lsn{1'000});
  REQUIRE(first != nullptr);
  const std::string bytes(first->from(Lsn{1'000}).substr(0, 100));
  for (int i = 0; i < 10'000; ++i) put(keyspace, "key", std::string(1000, 'v'));
  CHECK(log.end() - log.begin() >= kCapacity);
  CHECK(log.memory() <= kCapacity + 2 * (std::size_t{256} << 10));
  CHECK(log.segment_at(Lsn{1'000}) == nullptr);
  CHECK(first->from(Lsn{1'000}).substr(0, 100) == bytes);
  CHECK(read_log(log, log.begin()).size() > 1000);
  log.set_capacity(1);
  CHECK(log.memory() <= std::size_t{512} << 10);
  keyspace.set_sink(nullptr);
}

TEST_CASE("a record larger than the log is there as a whole until others fill it") {
  Keyspace keyspace({1, true});
  EffectLog log(kCapacity, Lsn{1});
  keyspace.set_sink(&log);
  put(keyspace, "small", "v");
  const Lsn before = log.end();
  put(keyspace, "large", std::string(3 * kCapacity, 'l'));
  const Records records = read_log(log, before);
  REQUIRE(records.size() == 1);
  CHECK(effects_of(records[0]) == 1);
  for (int i = 0; i < 2000; ++i) put(keyspace, "small", std::string(1000, 's'));
  CHECK(log.begin() > before);
  CHECK(log.memory() < 2 * kCapacity);
  keyspace.set_sink(nullptr);
}

TEST_CASE("a follower's log is its leader's, byte for byte, in whatever pieces it comes") {
  Keyspace keyspace({1, true});
  EffectLog log(kCapacity, Lsn{1});
  keyspace.set_sink(&log);
  for (int i = 0; i < 3000; ++i) put(keyspace, "key" + std::to_string(i), std::string(i % 200, 'v'));
  EffectLog copy(kCapacity, Lsn{1});
  Lsn at{1};
  for (std::size_t size = 1; at < log.end(); size = size * 3 % 5000 + 1) {
    const auto segment = log.segment_at(at);
    const auto piece = segment->from(at).substr(0, size);
    copy.append(piece);
    at = at + piece.size();
  }
  CHECK(copy.end() == log.end());
  CHECK(read_log(copy, Lsn{1}) == read_log(log, Lsn{1}));
  keyspace.set_sink(nullptr);
}

TEST_CASE("who reads a stripe waits for nothing that was given up") {
  Keyspace keyspace({1, true});
  EffectLog log(kCapacity, Lsn{1});
  keyspace.set_sink(&log);
  put(keyspace, "kept", "v");
  const Lsn kept = log.end();
  put(keyspace, "given up", "v");
  const magpie::engine::StripeMask stripe = magpie::engine::mask_of(Key::of("given up").stripe);
  CHECK(log.last_in(stripe) == log.end());
  log.cut(kept);
  CHECK(log.last_in(stripe) <= log.end());
}
