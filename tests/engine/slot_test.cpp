#include <doctest/doctest.h>

#include <set>

#include "server/engine/key.h"
#include "tests/engine/random.h"

using magpie::ByteView;
using magpie::engine::Key;

namespace {

unsigned slot(ByteView key) { return static_cast<unsigned>(magpie::slot_of(key)); }

/// CRC16/XMODEM bit by bit, as its definition says.
unsigned crc16(ByteView bytes) {
  unsigned crc = 0;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned>(static_cast<unsigned char>(byte)) << 8;
    for (int bit = 0; bit < 8; ++bit) crc = ((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
}

}  // namespace

TEST_CASE("slots are those that Redis Cluster gives") {
  CHECK(slot("123456789") == (0x31c3 & 16383));
  CHECK(slot("") == 0);
  CHECK(slot("foo") == 12182);
  CHECK(slot("bar") == 5061);
  CHECK(slot("hello") == 866);
  CHECK(slot("somekey") == 11058);
  CHECK(slot("foo{hash_tag}") == 2515);
  CHECK(slot("hash_tag") == 2515);
}

TEST_CASE("only the first non-empty hash tag counts") {
  CHECK(slot("{user1000}.following") == slot("user1000"));
  CHECK(slot("{user1000}.following") == slot("{user1000}.followers"));
  CHECK(slot("foo{}{bar}") == (crc16("foo{}{bar}") & 16383));
  CHECK(slot("foo{{bar}}zap") == slot("{bar"));
  CHECK(slot("foo{bar}{zap}") == slot("bar"));
  CHECK(slot("foo{bar") == (crc16("foo{bar") & 16383));
  CHECK(slot("foo}bar{") == (crc16("foo}bar{") & 16383));
  CHECK(slot("}{a}") == slot("a"));
}

TEST_CASE("slots of random keys agree with CRC16 bit by bit") {
  CHECK(crc16("123456789") == 0x31c3);
  magpie::testing::Random random(2);
  for (std::size_t size = 0; size < 200; ++size) {
    for (int round = 0; round < 10; ++round) {
      std::string key = random.bytes(size);
      for (char& byte : key) byte = byte == '{' ? 'x' : byte;
      REQUIRE(slot(key) == (crc16(key) & 16383));
    }
  }
}

TEST_CASE("a block lies in one stripe, and all stripes are used") {
  std::set<unsigned> stripes;
  for (unsigned number = 0; number < magpie::kSlots; ++number) {
    const magpie::Slot one{static_cast<std::uint16_t>(number)};
    const unsigned stripe = index_of(magpie::engine::stripe_of(one));
    CHECK(stripe == static_cast<unsigned>(block_of(one)) % magpie::engine::kStripes);
    stripes.insert(stripe);
  }
  CHECK(stripes.size() == magpie::engine::kStripes);
  const Key key = Key::of("{tag}x");
  CHECK(key.stripe == Key::of("tag").stripe);
  CHECK(key.hash == magpie::engine::hash_of("{tag}x"));
  CHECK(key.hash != Key::of("tag").hash);
}
