#include "server/engine/entry_block.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "server/engine/keyspace.h"
#include "server/engine/large_blocks.h"
#include "server/engine/memory.h"

namespace magpie::engine {
namespace {

constexpr Db kDb{0};
constexpr Instant kNow{1'700'000'000'000};

struct Fixture {
  Fixture() { put(value); }
  const Key key = Key::of("key");
  const std::string value = std::string(100'000, 'v');
  Keyspace keyspace{{1, false}};

  void put(ByteView text) { keyspace.apply(Put{kDb, key, StringValue::plain(text), std::nullopt}, kNow); }
  void overwrite(std::size_t offset, ByteView text) { keyspace.apply(Overwrite{kDb, key, offset, text}, kNow); }
  const Entry* entry() { return keyspace.find(kDb, key, kNow); }
  ByteView now() { return entry()->string().bytes; }
  SharedBytes refer() { return EntryBlock::refer(*entry(), now()); }
};

std::size_t freed_pieces() {
  std::size_t pieces = 0;
  while (LargeBlocks::instance().free_piece()) ++pieces;
  return pieces;
}

}  // namespace

TEST_CASE("a value that a reply refers to is changed elsewhere, and in place again after that") {
  Fixture data;
  const char* const place = data.now().data();
  data.put(std::string(100'000, 'a'));
  CHECK(data.now().data() == place);
  SharedBytes reply = data.refer();
  CHECK(EntryBlock::is_referenced(*data.entry()));
  const std::string seen(reply.view());
  SUBCASE("by another of the same size") { data.put(data.value); }
  SUBCASE("in the middle") { data.overwrite(50'000, "changed"); }
  SUBCASE("up to its end and beyond") { data.overwrite(99'999, "changed"); }
  SUBCASE("by an expiry") {
    data.keyspace.apply(SetExpiry{kDb, data.key, Instant{kNow.ms + 1000}}, kNow);
    CHECK(data.now() == seen);
  }
  CHECK(data.now().data() != place);
  CHECK(reply.view().data() == place);
  CHECK(reply.view() == seen);
  CHECK_FALSE(EntryBlock::is_referenced(*data.entry()));
  reply = {};
  const char* const new_place = data.now().data();
  data.overwrite(0, "again");
  CHECK(data.now().data() == new_place);
  CHECK(data.now().starts_with("again"));
}

TEST_CASE("what is appended goes behind the bytes that replies refer to") {
  Fixture data;
  data.overwrite(100'000, "first");  // makes room
  const SharedBytes reply = data.refer();
  data.overwrite(100'005, "second");
  CHECK(data.now().data() == reply.view().data());
  CHECK(data.now().ends_with("firstsecond"));
  CHECK(reply.view().ends_with("first"));
  data.overwrite(100'004, "!");
  CHECK(data.now().ends_with("firs!second"));
  CHECK(reply.view().ends_with("first"));
}

TEST_CASE("a block that only replies hold is no data, and the last of them frees it") {
  Fixture data;
  for (const std::size_t size : {std::size_t{100'000}, std::size_t{5'000'000}}) {
    data.keyspace.apply(Erase{kDb, data.key}, kNow);
    freed_pieces();
    const std::int64_t empty = used_memory();
    data.put(std::string(size, 'v'));
    SharedBytes first = data.refer();
    SharedBytes second = EntryBlock::refer(*data.entry(), data.now().substr(10, 50'000));
    const std::size_t memory = EntryBlock::memory(*data.entry());
    CHECK(used_memory() - empty > static_cast<std::int64_t>(memory));  // and its cell
    CHECK(EntryBlock::memory_of_replies() == 0);
    data.keyspace.apply(Erase{kDb, data.key}, kNow);
    CHECK(used_memory() == empty);
    CHECK(EntryBlock::memory_of_replies() == memory);
    CHECK(first.view() == std::string(size, 'v'));
    first = {};
    CHECK(second.view() == std::string(50'000, 'v'));
    CHECK(EntryBlock::memory_of_replies() == memory);
    second = {};
    CHECK(EntryBlock::memory_of_replies() == 0);
    CHECK(used_memory() == empty);
    CHECK((freed_pieces() > 10) == (size > LargeBlocks::kLarge));
    CHECK(used_memory() == empty);
  }
}

TEST_CASE("a reply keeps its value through a flush, and beyond the keyspace") {
  SharedBytes kept;
  {
    Fixture data;
    kept = data.refer();
    data.keyspace.apply(Flush{}, kNow);
    while (data.keyspace.free_some(100) > 0) {
    }
    CHECK(kept.view() == data.value);
    data.put(data.value);
    kept = data.refer();
  }
  CHECK(kept.view() == std::string(100'000, 'v'));
}

}  // namespace magpie::engine
