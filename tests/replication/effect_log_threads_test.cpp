// Several threads write, in groups and alone, while others read what has been written.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "server/engine/keyspace.h"
#include "server/replication/effect_log.h"
#include "tests/replication/log_reader.h"

using magpie::Db;
using magpie::Instant;
using magpie::Lsn;
using magpie::engine::kAllStripes;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::engine::Put;
using magpie::engine::StringValue;
using magpie::server::EffectLog;

namespace {

constexpr Instant kNow{1'700'000'000'000};
constexpr int kWriters = 3;
constexpr int kWrites = 3000;

void write(Keyspace& keyspace, int writer) {
  for (int i = 0; i < kWrites; ++i) {
    const std::string one = "key" + std::to_string(i % 40);
    const std::string other = "key" + std::to_string((i + writer) % 40);
    const std::string value = std::to_string(writer) + ":" + std::to_string(i);
    const Key first = Key::of(one);
    const Key second = Key::of(other);
    const Keyspace::Guard guard = keyspace.lock(mask_of(first.stripe) | mask_of(second.stripe));
    const Keyspace::Group group(keyspace);
    keyspace.apply(Put{Db{0}, first, StringValue::plain(value), std::nullopt}, kNow);
    keyspace.apply(Put{Db{0}, second, StringValue::plain(value), std::nullopt}, kNow);
  }
}

/// Copies the log as it grows, in pieces, into another.
void follow(const EffectLog& log, EffectLog& copy, const std::atomic<bool>& ended) {
  for (bool last = false; !last;) {
    last = ended.load();
    while (const auto segment = log.segment_at(copy.end())) copy.append(segment->from(copy.end()));
    std::this_thread::yield();
  }
}

}  // namespace

TEST_CASE("logs written by several threads, and copied meanwhile, give the same keyspace") {
  constexpr std::size_t kCapacity = std::size_t{8} << 20;
  Keyspace keyspace({1, true});
  EffectLog log(kCapacity, Lsn{1});
  EffectLog copy(kCapacity, Lsn{1});
  keyspace.set_sink(&log);
  std::atomic<bool> ended = false;
  std::thread follower([&] { follow(log, copy, ended); });
  std::vector<std::thread> writers;
  writers.reserve(kWriters);
  for (int writer = 0; writer < kWriters; ++writer) writers.emplace_back([&, writer] { write(keyspace, writer); });
  for (std::thread& writer : writers) writer.join();
  ended = true;
  follower.join();
  keyspace.set_sink(nullptr);
  CHECK(copy.end() == log.end());
  const auto records = magpie::testing::read_log(copy, Lsn{1});
  CHECK(records.size() == kWriters * kWrites);
  for (const std::string& record : records) REQUIRE(magpie::testing::effects_of(record) == 2);
  Keyspace again({1, true});
  magpie::testing::replay(records, again, kNow);
  const Keyspace::Guard guard = keyspace.lock(kAllStripes);
  CHECK(again.digest() == keyspace.digest());
}
