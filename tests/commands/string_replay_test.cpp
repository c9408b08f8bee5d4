#include <doctest/doctest.h>

#include <random>
#include <variant>

#include "tests/commands/test_server.h"
#include "tests/engine/keyspace_model.h"

using namespace magpie;
using magpie::testing::TestServer;

namespace {

/// Random string commands on few keys, so that they meet each other's values.
class Commands {
 public:
  explicit Commands(std::uint64_t seed) : random_(seed) {}

  std::string next() {
    switch (below(20)) {
      case 0:
        return "SET " + key() + " " + value();
      case 1:
        return "SET " + key() + " " + value() + pick({" NX", " XX", " GET", " KEEPTTL", " XX GET", " NX GET"});
      case 2:
        return "SET " + key() + " " + value() + " PX " + number(3000);
      case 3:
        return pick({"SETEX ", "PSETEX "}) + key() + " " + number(5) + " " + value();
      case 4:
        return "APPEND " + key() + " " + value();
      case 5:
        return "SETRANGE " + key() + " " + number(60) + " " + value();
      case 6:
        return pick({"INCR ", "DECR "}) + key();
      case 7:
        return pick({"INCRBY ", "DECRBY "}) + key() + " " + number(1'000'000);
      case 8:
        return "INCRBYFLOAT " + key() + " 0." + number(1000);
      case 9:
        return "GETEX " + key() + pick({"", " PERSIST", " PX 500", " EX 1", " PXAT 1"});
      case 10:
        return pick({"GETDEL ", "DELEX ", "GET ", "STRLEN ", "DIGEST "}) + key();
      case 11:
        return pick({"MSET ", "MSETNX "}) + key() + " " + value() + " " + key() + " " + value();
      case 12:
        return "MSETEX 2 " + key() + " " + value() + " " + key() + " " + value() +
               pick({"", " NX", " XX", " PX 700", " KEEPTTL", " XX KEEPTTL"});
      case 13:
        return "SET " + key() + " " + value() + pick({" IFEQ ", " IFNE "}) + value();
      case 14:
        return pick({"DELIFEQ " + key() + " ", "DELEX " + key() + " IFNE "}) + value();
      case 15:
        return "SELECT " + number(3);
      case 16:
        return "SETNX " + key() + " " + value();
      case 17:
        return "GETSET " + key() + " " + value();
      case 18:
        return "LCS " + key() + " " + key();
      default:
        return "MGET " + key() + " " + key();
    }
  }
  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }

 private:
  std::string number(std::size_t limit) { return std::to_string(below(limit)); }
  std::string key() { return "key:" + number(12); }
  std::string value() {
    if (below(2) == 0) return number(50);
    return std::string(below(80) + 1, static_cast<char>('a' + below(3)));
  }
  std::string pick(std::initializer_list<std::string> choices) { return choices.begin()[below(choices.size())]; }

  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("the effects of any string commands, replayed, give the same keyspace") {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    CAPTURE(seed);
    TestServer server;
    magpie::testing::EffectLog log;
    server.keyspace().set_sink(&log);
    Commands commands(seed);
    for (int i = 0; i < 5000; ++i) {
      server.run(commands.next());
      if (commands.below(4) == 0) server.advance(static_cast<std::int64_t>(commands.below(400)));
    }
    server.keyspace().set_sink(nullptr);
    CHECK(log.size() > 1000);
    engine::Keyspace replica({16, true});
    log.replay_into(replica, server.now());
    const auto ours = server.keyspace().lock(engine::kAllStripes);
    const auto theirs = replica.lock(engine::kAllStripes);
    CHECK(replica.digest() == server.keyspace().digest());
  }
}

TEST_CASE("commands that change nothing leave no effect") {
  TestServer server;
  server.run("SET k v");
  server.run("SET n 1 PX 100000");
  magpie::testing::EffectLog log;
  server.keyspace().set_sink(&log);
  for (const char* command : {"GET k",
                              "SET k w NX",
                              "SET missing w XX",
                              "SET k w IFEQ other",
                              "SET k w NX GET",
                              "SETNX k w",
                              "MSETNX k w z 1",
                              "MSETEX 2 k 1 z 2 NX",
                              "MSETEX 2 k 1 z 2 XX",
                              "GETEX k",
                              "GETEX k PERSIST",
                              "GETEX missing EX 10",
                              "GETDEL missing",
                              "DELIFEQ k other",
                              "DELEX missing",
                              "INCR k",
                              "INCRBY n 9223372036854775807",
                              "INCRBYFLOAT k 1",
                              "SET k v EX 0",
                              "SET k v FOO",
                              "MSET k 1 z",
                              "STRLEN k",
                              "GETRANGE k 0 1",
                              "LCS k n"}) {
    CAPTURE(command);
    server.run(command);
    CHECK(log.size() == 0);
    log.clear();
  }
  server.run({"SETRANGE", "k", "1", ""});
  CHECK(log.size() == 0);
  server.keyspace().set_sink(nullptr);
}
