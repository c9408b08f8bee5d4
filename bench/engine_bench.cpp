#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "server/engine/entry_heap.h"
#include "server/engine/keyspace.h"
#include "server/engine/table.h"

namespace {

using magpie::ByteView;
using magpie::Db;
using magpie::Instant;
using magpie::engine::Entry;
using magpie::engine::EntryContent;
using magpie::engine::EntryHeap;
using magpie::engine::Handle;
using magpie::engine::hash_of;
using magpie::engine::Key;
using magpie::engine::Keyspace;
using magpie::engine::Put;
using magpie::engine::StringValue;
using magpie::engine::Table;

constexpr std::size_t kKeys = 1'000'000;
constexpr Instant kNow{1'700'000'000'000};

constexpr std::size_t kKeyBytes = 16;
using Name = std::array<char, kKeyBytes>;

/// A million keys in random order, so that every look-up misses the caches; the keys themselves are read one after the
/// other, as from a connection's buffer.
const std::vector<Name>& keys() {
  static const std::vector<Name> instance = [] {
    std::vector<Name> made(kKeys);
    for (std::size_t number = 0; number < kKeys; ++number) {
      std::string digits = std::to_string(number);
      digits = "key:" + std::string(kKeyBytes - 4 - digits.size(), '0') + digits;
      std::copy(digits.begin(), digits.end(), made[number].begin());
    }
    std::shuffle(made.begin(), made.end(), std::mt19937_64(1));
    return made;
  }();
  return instance;
}
ByteView view(const Name& name) { return {name.data(), name.size()}; }
ByteView key_at(std::size_t at) { return view(keys()[at % kKeys]); }
const std::string& value() {
  static const std::string instance(32, 'x');
  return instance;
}

EntryContent content(ByteView key, ByteView text = value()) { return {.key = key, .value = StringValue::plain(text)}; }

void fill(Table& table) {
  for (const Name& key : keys()) table.insert(hash_of(view(key)), table.make(content(view(key))), {});
}

Table& full_table() {
  static const std::unique_ptr<Table> instance = [] {
    auto table = std::make_unique<Table>();
    fill(*table);
    return table;
  }();
  return *instance;
}

Keyspace& full_keyspace() {
  static const std::unique_ptr<Keyspace> instance = [] {
    auto keyspace = std::make_unique<Keyspace>(Keyspace::Options{1, true});
    for (const Name& key : keys()) {
      keyspace->apply(Put{Db{0}, Key::of(view(key)), StringValue::plain(value()), {}}, kNow);
    }
    return keyspace;
  }();
  return *instance;
}

void table_find_hit(benchmark::State& state) {
  const Table& table = full_table();
  std::size_t at = 0;
  for (auto _ : state) {
    const ByteView key = key_at(at++);
    benchmark::DoNotOptimize(table.find(hash_of(key), key));
  }
}

void table_find_miss(benchmark::State& state) {
  const Table& table = full_table();
  std::size_t at = 0;
  for (auto _ : state) {
    Name key = keys()[at++ % kKeys];
    key[0] = 'K';
    benchmark::DoNotOptimize(table.find(hash_of(view(key)), view(key)));
  }
}

/// Batches of 16 with prefetching, as the dispatcher looks keys up.
void table_find_batch(benchmark::State& state) {
  constexpr std::size_t kBatch = 16;
  const Table& table = full_table();
  std::size_t at = 0;
  std::uint64_t hashes[kBatch];
  const void* buckets[kBatch];
  for (auto _ : state) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      hashes[i] = hash_of(key_at(at + i));
      buckets[i] = table.prefetch_bucket(hashes[i]);
    }
    for (std::size_t i = 0; i < kBatch; ++i) buckets[i] = table.prefetch_entry(hashes[i], buckets[i]);
    for (std::size_t i = 0; i < kBatch; ++i) {
      if (buckets[i] != nullptr) table.prefetch_entry(hashes[i], buckets[i]);
    }
    for (std::size_t i = 0; i < kBatch; ++i) benchmark::DoNotOptimize(table.find(hashes[i], key_at(at + i)));
    at += kBatch;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}

/// From nothing to a million keys, splits included; time is per key.
void table_insert(benchmark::State& state) {
  for (auto _ : state) {
    Table table;
    fill(table);
    benchmark::DoNotOptimize(table.size());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kKeys));
}

/// Made and freed.
void entry_make(benchmark::State& state) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  EntryHeap heap;
  for (auto _ : state) heap.free(heap.make(content(key_at(0), text)));
}

void entry_read(benchmark::State& state) {
  EntryHeap heap;
  const Handle handle = heap.make(content(key_at(0)));
  const Entry* const one = heap.at(handle);
  for (auto _ : state) {
    benchmark::DoNotOptimize(one->key());
    benchmark::DoNotOptimize(one->string());
    benchmark::DoNotOptimize(one->expired(kNow));
  }
}

void hash_and_slot(benchmark::State& state) {
  std::size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(Key::of(key_at(at++)));
}

void keyspace_put(benchmark::State& state) {
  Keyspace& keyspace = full_keyspace();
  std::size_t at = 0;
  for (auto _ : state) {
    const Key key = Key::of(key_at(at++));
    const Keyspace::Guard guard = keyspace.lock(mask_of(key.stripe));
    keyspace.apply(Put{Db{0}, key, StringValue::plain(value()), {}}, kNow);
  }
}

void keyspace_find(benchmark::State& state) {
  Keyspace& keyspace = full_keyspace();
  std::size_t at = 0;
  for (auto _ : state) {
    const Key key = Key::of(key_at(at++));
    const Keyspace::Guard guard = keyspace.lock(mask_of(key.stripe));
    benchmark::DoNotOptimize(keyspace.find(Db{0}, key, kNow));
  }
}

BENCHMARK(table_find_hit);
BENCHMARK(table_find_miss);
BENCHMARK(table_find_batch);
BENCHMARK(table_insert)->Unit(benchmark::kMillisecond);
BENCHMARK(entry_make)->Arg(32)->Arg(512)->Arg(4096);
BENCHMARK(entry_read);
BENCHMARK(hash_and_slot);
BENCHMARK(keyspace_put);
BENCHMARK(keyspace_find);

}  // namespace
