#include <doctest/doctest.h>

#include <random>

#include "server/engine/memory.h"
#include "tests/commands/test_server.h"
#include "tests/engine/keyspace_model.h"

using namespace magpie;
using magpie::testing::EffectLog;
using magpie::testing::TestServer;

namespace {

/// Random list commands on few keys, some of them strings.
class ListCommands {
 public:
  explicit ListCommands(std::uint64_t seed) : random_(seed) {}

  std::string next() {
    switch (below(16)) {
      case 0:
      case 1:
        return pick({"LPUSH ", "RPUSH ", "LPUSHX ", "RPUSHX "}) + key() + elements(below(20) == 0 ? 200 : 3);
      case 2:
        return pick({"LPOP ", "RPOP "}) + key() + pick({"", " 2", " 0", " 100"});
      case 3:
        return "LSET " + key() + " " + index() + elements(1);
      case 4:
        return "LINSERT " + key() + pick({" BEFORE", " AFTER"}) + elements(1) + elements(1);
      case 5:
        return "LREM " + key() + " " + index() + elements(1);
      case 6:
        return "LTRIM " + key() + " " + index() + " -" + std::to_string(1 + below(3));
      case 7:
        return "LMOVE " + key() + " " + key() + pick({" LEFT", " RIGHT"}) + pick({" LEFT", " RIGHT"});
      case 8:
        return "LMPOP 2 " + key() + " " + key() + pick({" LEFT", " RIGHT"}) + pick({"", " COUNT 3"});
      case 9:
        return "COPY " + key() + " " + key() + " REPLACE";
      case 10:
        return "RENAME " + key() + " " + key();
      case 11:
        return "PEXPIRE " + key() + " " + std::to_string(below(3000));
      case 12:
        return below(4) == 0 ? "SET " + key() + " v" : "LPOS " + key() + elements(1) + " COUNT 0";
      case 13:
        return below(8) == 0 ? "DEL " + key() : "LRANGE " + key() + " 0 -1";
      default:
        return "RPUSH " + key() + elements(4);
    }
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  std::string pick(std::initializer_list<const char*> words) { return words.begin()[below(words.size())]; }
  std::string key() { return "key" + std::to_string(below(6)); }
  std::string index() { return std::to_string(static_cast<int>(below(21)) - 10); }
  std::string elements(std::uint64_t count) {
    std::string words;
    for (; count > 0; --count)
      words += pick({" a", " b", " -70000", " 7"}) + (below(9) == 0 ? std::string(700, 'x') : "");
    return words;
  }

  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("the effects of random list commands, replayed, give the same lists") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    TestServer server;
    EffectLog log;
    server.keyspace().set_sink(&log);
    ListCommands commands(seed);
    for (int step = 0; step < 5000; ++step) {
      server.run(commands.next());
      if (step % 7 == 0) server.advance(20);
    }
    CHECK(log.size() > 1000);
    engine::Keyspace again({server.keyspace().databases(), true});
    log.replay_into(again, server.now());
    const engine::Keyspace::Guard guard = again.lock(engine::kAllStripes);
    const engine::Keyspace::Guard other = server.keyspace().lock(engine::kAllStripes);
    CHECK(again.digest() == server.keyspace().digest());
    server.keyspace().set_sink(nullptr);
  }
}

TEST_CASE("list commands that change nothing have no effect") {
  TestServer server;
  server.run("RPUSH l a b");
  server.run("SET k v");
  EffectLog log;
  server.keyspace().set_sink(&log);
  for (const char* command :
       {"LPUSHX missing a", "LPOP l 0", "LPOP missing", "LREM l 0 c", "LTRIM l 0 -1", "LSET l 9 x",
        "LINSERT l BEFORE c x", "LMOVE missing l LEFT LEFT", "LMOVE l k LEFT LEFT", "LMPOP 1 missing LEFT", "LPUSH k a",
        "LPOS l a", "LRANGE l 0 -1", "LINDEX l 0", "LLEN l", "SETRANGE l 0 x", "INCR l", "APPEND l x"}) {
    CAPTURE(command);
    server.run(command);
    CHECK(log.size() == 0);
    log.clear();
  }
  server.keyspace().set_sink(nullptr);
}

TEST_CASE("a large list is copied and renamed without its elements, and freed in pieces") {
  while (engine::List::free_some(SIZE_MAX) > 0) {  // what earlier cases left
  }
  const std::int64_t before = engine::used_memory();
  {
    TestServer server;
    const std::string element = " " + std::string(32, 'x');
    std::string words = "RPUSH l";
    for (int i = 0; i < 1000; ++i) words += element;
    for (int i = 0; i < 100; ++i) server.run(words);
    const std::int64_t full = engine::used_memory();
    CHECK(full - before > 100'000 * 32);
    server.run("COPY l copy");
    server.run("RENAME l m");
    CHECK(engine::used_memory() - full < 2000);
    CHECK(server.run("LLEN m") == ":100000\r\n");
    CHECK(server.run("LSET m 50000 y") == "+OK\r\n");
    CHECK(server.run("LINDEX copy 50000") == "$32\r\n" + std::string(32, 'x') + "\r\n");
    CHECK(engine::used_memory() - full < 20'000);  // a chunk and a path of nodes
    server.run("DEL copy");
    server.run("DEL m");
    CHECK(engine::used_memory() > full - 100'000);  // it waits
    std::size_t freed = 0;
    while (const std::size_t step = server.keyspace().free_some(4)) {
      CHECK(step <= 6);
      freed += step;
    }
    CHECK(freed > 500);
    CHECK(engine::used_memory() < before + (full - before) / 10);
  }
  CHECK(engine::used_memory() == before);
}

TEST_CASE("a large element that is replaced gives its memory back") {
  TestServer server;
  server.run("RPUSH l a");
  const std::int64_t before = engine::used_memory();
  const std::string large(1'000'000, 'x');
  for (int i = 0; i < 5; ++i) server.run({"RPUSH", "l", large});
  CHECK(engine::used_memory() > before + 5'000'000);
  for (int i = 1; i <= 5; ++i) server.run("LSET l " + std::to_string(i) + " y");
  CHECK(engine::used_memory() < before + 10'000);
  CHECK(server.run("LRANGE l 4 5") == "*2\r\n$1\r\ny\r\n$1\r\ny\r\n");
}

TEST_CASE("a list says what it takes") {
  TestServer server;
  std::string words = "RPUSH l";
  for (int i = 0; i < 5000; ++i) words += " 01234567890123456789";
  const std::int64_t before = engine::used_memory();
  server.run(words);
  const double used = static_cast<double>(engine::used_memory() - before);
  const std::string reply = server.run("MEMORY USAGE l");
  const double told = std::stod(reply.substr(1));
  CHECK(told > 0.9 * used);
  CHECK(told < 1.1 * used);
}
