#include <doctest/doctest.h>

#include "tests/commands/test_server.h"

using magpie::ByteView;
using magpie::testing::TestServer;

namespace {

std::string bulk(ByteView text) { return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n"; }
const std::string kNil = "$-1\r\n";

std::string expect_error(const std::string& text) { return "-" + text + "\r\n"; }

}  // namespace

TEST_CASE("SET with a lifetime is there up to its last millisecond and gone behind it") {
  for (const char* command : {"SET k v EX 2", "SET k v PX 2000", "SETEX k 2 v", "PSETEX k 2000 v", "MSETEX 1 k v EX 2",
                              "SET k v EXAT 1700000002", "SET k v PXAT 1700000002000"}) {
    CAPTURE(command);
    TestServer server;
    server.run(command);
    server.advance(2000);
    CHECK(server.run("GET k") == bulk("v"));
    server.advance(1);
    CHECK(server.run("GET k") == kNil);
  }
}

TEST_CASE("commands that change a value in place keep its lifetime") {
  for (const char* command : {"INCR k", "DECRBY k 5", "INCRBYFLOAT k 0.5", "APPEND k 1", "SETRANGE k 1 1",
                              "SET k 7 KEEPTTL", "MSETEX 1 k 7 KEEPTTL", "GETEX k", "SET k 7 NX"}) {
    CAPTURE(command);
    TestServer server;
    server.run("SET k 10 PX 1000");
    server.run(command);
    server.advance(1000);
    CHECK(server.run("STRLEN k") != ":0\r\n");
    server.advance(1);
    CHECK(server.run("GET k") == kNil);
  }
}

TEST_CASE("commands that replace a value take its lifetime away") {
  for (const char* command :
       {"SET k 7", "GETSET k 7", "MSET k 7", "MSETEX 1 k 7", "SET k 7 XX GET", "GETEX k PERSIST"}) {
    CAPTURE(command);
    TestServer server;
    server.run("SET k 7 PX 1000");
    server.run(command);
    server.advance(5000);
    CHECK(server.run("GET k") == bulk("7"));
  }
}

TEST_CASE("an expired key counts as missing for every condition") {
  TestServer server;
  const auto expire = [&] {
    server.run("SET k old PX 1");
    server.advance(2);
  };
  expire();
  CHECK(server.run("SET k new XX") == kNil);
  expire();
  CHECK(server.run("SET k new NX GET") == kNil);
  CHECK(server.run("GET k") == bulk("new"));
  expire();
  CHECK(server.run("SET k new IFEQ old") == kNil);
  expire();
  CHECK(server.run("SET k new KEEPTTL") == "+OK\r\n");
  server.advance(10);
  CHECK(server.run("GET k") == bulk("new"));
  expire();
  CHECK(server.run("SETNX k new") == ":1\r\n");
  expire();
  CHECK(server.run("MSETNX k new") == ":1\r\n");
  expire();
  CHECK(server.run("INCR k") == ":1\r\n");
  expire();
  CHECK(server.run("APPEND k x") == ":1\r\n");
  expire();
  CHECK(server.run("SETRANGE k 1 x") == ":2\r\n");
  expire();
  CHECK(server.run("GETDEL k") == kNil);
  expire();
  CHECK(server.run("DELEX k") == ":0\r\n");
}

TEST_CASE("a lifetime that does not fit 64 bits is refused, the largest that does is taken") {
  TestServer server;  // the clock stands at 1,700,000,000,000 ms
  const std::string invalid = expect_error("ERR invalid expire time in 'set' command");
  CHECK(server.run("SET k v PX 9223370336854775808") == invalid);
  CHECK(server.run("SET k v PX 9223370336854775807") == "+OK\r\n");
  CHECK(server.run("SET k v EX 9223370336854776") == invalid);
  CHECK(server.run("SET k v EX 9223370336854775") == "+OK\r\n");
  CHECK(server.run("GET k") == bulk("v"));
}

TEST_CASE("GETEX deletes at once where the time has come") {
  TestServer server;
  server.run("SET k v");
  CHECK(server.run("GETEX k PXAT 1700000000001") == bulk("v"));
  CHECK(server.run("GETEX k PXAT 1700000000000") == bulk("v"));
  CHECK(server.keyspace().keys(magpie::Db{0}) == 0);
}

TEST_CASE("keys are in the database that the client has selected") {
  TestServer server;
  server.run("SELECT 1");
  server.run("MSET a 1 b 2");
  server.run("SELECT 0");
  CHECK(server.run("MGET a b") == "*2\r\n" + kNil + kNil);
}

TEST_CASE("many keys at once: each is read and written, in order, the last of equal ones wins") {
  TestServer server;
  for (const std::size_t count : {1U, 7U, 8U, 9U, 15U, 16U, 17U, 31U, 33U, 1000U}) {
    CAPTURE(count);
    std::string mset = "MSET";
    std::string mget = "MGET";
    std::string expected = "*" + std::to_string(count) + "\r\n";
    for (std::size_t i = 0; i < count; ++i) {
      const std::string number = std::to_string(i);
      for (const std::string& word : {"k" + number, std::string("old"), "k" + number, "v" + number}) {
        mset.append(" ").append(word);
      }
      mget.append(" k").append(number);
      expected += bulk("v" + number);
    }
    CHECK(server.run(mset) == "+OK\r\n");
    CHECK(server.run(mget) == expected);
  }
  CHECK(server.keyspace().keys(magpie::Db{0}) == 1000);
}

TEST_CASE("MSETNX and MSETEX write all or nothing") {
  TestServer server;
  server.run("SET z 1");
  CHECK(server.run("MSETNX a 1 b 2 z 3") == ":0\r\n");
  CHECK(server.run("MSETEX 2 a 1 z 3 NX") == ":0\r\n");
  CHECK(server.run("MSETEX 2 z 3 a 1 XX") == ":0\r\n");
  CHECK(server.run("MGET a b z") == "*3\r\n" + kNil + kNil + bulk("1"));
}

TEST_CASE("MSETEX of a wrong number of keys changes nothing") {
  TestServer server;
  for (const char* count : {"3", "1000000000", "2147483647", "2147483648", "-1", "0", "x", "9223372036854775807"}) {
    CAPTURE(count);
    CHECK(server.run("MSETEX " + std::string(count) + " a 1 b 2").starts_with("-ERR "));
  }
  CHECK(server.keyspace().keys(magpie::Db{0}) == 0);
}

TEST_CASE("a digest is compared in any case and must be well formed") {
  TestServer server;
  server.run("SET k v96");
  CHECK(server.run("DIGEST k") == bulk("0007055606887c9d"));
  CHECK(server.run("SET k v96 IFDEQ 0007055606887C9D") == "+OK\r\n");
  const std::string malformed = expect_error("ERR digest must be exactly 16 hexadecimal characters");
  CHECK(server.run("SET k w IFDNE 7055606887c9d") == malformed);
  CHECK(server.run("DELEX k IFDNE 000705560688zzzz") == malformed);
  CHECK(server.run("DELEX k IFDEQ 0007055606887c9d") == ":1\r\n");
}

TEST_CASE("strings end at proto-max-bulk-len, and offsets near 64 bits do not wrap around") {
  TestServer server;
  const std::string too_long = expect_error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  CHECK(server.run("SETRANGE k 536870912 x") == too_long);
  CHECK(server.run("SETRANGE k 9223372036854775807 xx") == too_long);
  CHECK(server.run({"SETRANGE", "k", "9223372036854775807", ""}) == ":0\r\n");
  CHECK(server.keyspace().keys(magpie::Db{0}) == 0);
}

TEST_CASE("appending byte by byte copies the value only now and then") {
  TestServer server;
  std::size_t moves = 0;
  const magpie::engine::Entry* last = nullptr;
  const auto key = magpie::engine::Key::of("k");
  for (int i = 0; i < 100'000; ++i) {
    server.run("APPEND k x");
    const auto guard = server.keyspace().lock(magpie::engine::mask_of(key.stripe));
    const auto* const entry = server.keyspace().peek(magpie::Db{0}, key, server.now());
    moves += entry != last ? 1 : 0;
    last = entry;
  }
  CHECK(server.run("STRLEN k") == ":100000\r\n");
  CHECK(moves < 90);  // small values move every few bytes, large ones each time that they double
}

TEST_CASE("overwriting with values of the same size takes no more memory and stays in place") {
  using magpie::engine::EntryHeap;
  TestServer server;
  const auto key = magpie::engine::Key::of("k");
  const auto entry = [&] {
    const auto guard = server.keyspace().lock(magpie::engine::mask_of(key.stripe));
    return server.keyspace().peek(magpie::Db{0}, key, server.now());
  };
  server.run("SET k " + std::string(100, 'a'));
  const auto* const first = entry();
  const std::size_t memory = EntryHeap::memory(*first);
  for (const char letter : {'b', 'c', 'd'}) {
    server.run("SET k " + std::string(100, letter));
    server.run("SETRANGE k 3 xyz");
    CHECK(entry() == first);
    CHECK(EntryHeap::memory(*entry()) == memory);
  }
  server.run("SET k 1");
  CHECK(EntryHeap::memory(*entry()) < memory);
}

TEST_CASE("GET counts hits and misses, SET does not") {
  TestServer server;
  auto& statistics = *server.state().loops[0];
  server.run("SET k v");
  server.run("SET k v NX");
  server.run("INCR n");
  CHECK(std::uint64_t{statistics.keyspace_hits} == 0);
  CHECK(std::uint64_t{statistics.keyspace_misses} == 0);
  server.run("GET k");
  server.run("GET missing");
  server.run("SET k w GET");
  server.run("MGET k missing");
  CHECK(std::uint64_t{statistics.keyspace_hits} == 3);
  CHECK(std::uint64_t{statistics.keyspace_misses} == 2);
}
