// What the key, expiry and database commands do to data, they do by effects: a second keyspace that replays those, with
// a clock of its own, stays equal.

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <string>

#include "tests/commands/test_server.h"

using magpie::testing::TestServer;

namespace {

using magpie::Instant;
using magpie::engine::Effect;
using magpie::engine::Keyspace;

class Mirror final : public magpie::engine::EffectSink {
 public:
  void on_effect(const Effect& effect) override {
    ++effects_;
    copy_.replay(effect, Instant{1});  // effects carry absolute times: the clock of the copy does not matter
  }
  Keyspace& copy() { return copy_; }
  std::size_t effects() const { return effects_; }

 private:
  Keyspace copy_{{.databases = 16, .shared = false}};
  std::size_t effects_ = 0;
};

class RandomCommands {
 public:
  explicit RandomCommands(unsigned seed) : random_(seed) {}

  std::string next() {
    switch (below(14)) {
      case 0:
      case 1:
      case 2:
        return "SET " + key() + " " + value();
      case 3:
        return "RENAME " + key() + " " + key();
      case 4:
        return "RENAMENX " + key() + " " + key();
      case 5:
        return "COPY " + key() + " " + key() + " DB " + db() + (below(2) == 0 ? " REPLACE" : "");
      case 6:
        return "MOVE " + key() + " " + db();
      case 7:
        return "PEXPIRE " + key() + " " + std::to_string(static_cast<int>(below(3000)) - 100) + condition();
      case 8:
        return "EXPIREAT " + key() + " " + std::to_string(1'700'000'000 + below(4000)) + condition();
      case 9:
        return "PERSIST " + key();
      case 10:
        return "DEL " + key() + " " + key() + " " + key();
      case 11:
        return "SELECT " + db();
      case 12:
        return rare();
      default:
        return "EXISTS " + key() + " " + key();  // erases what has expired
    }
  }
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

 private:
  std::string key() { return "k" + std::to_string(below(24)); }
  std::string db() { return std::to_string(below(3)); }
  std::string value() { return below(2) == 0 ? std::to_string(below(1000)) : std::string(below(300), 'v') + "."; }
  std::string condition() {
    constexpr std::array kConditions{"", " NX", " XX", " GT", " LT"};
    return kConditions[below(kConditions.size())];
  }
  std::string rare() {
    if (below(10) != 0) return "SWAPDB " + db() + " " + db();
    return below(4) == 0 ? "FLUSHALL ASYNC" : "FLUSHDB";
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("replaying the effects of key, expiry and database commands gives equal data") {
  for (const unsigned seed : {11U, 12U, 13U}) {
    CAPTURE(seed);
    TestServer server;
    Mirror mirror;
    server.keyspace().set_sink(&mirror);
    RandomCommands commands(seed);
    for (int step = 1; step <= 10'000; ++step) {
      server.run(commands.next());
      if (commands.below(5) == 0) server.advance(commands.below(200));
      if (step % 100 == 0) REQUIRE(server.keyspace().digest() == mirror.copy().digest());
    }
    CHECK(mirror.effects() > 3000);
    server.keyspace().set_sink(nullptr);
  }
}

TEST_CASE("commands that change nothing leave no effect") {
  TestServer server;
  server.run("SET a 1");
  server.run("SET b 2");
  Mirror mirror;
  server.keyspace().set_sink(&mirror);
  for (const char* command : {"RENAMENX a b", "RENAME a a", "COPY a b", "MOVE missing 1", "DEL missing", "PERSIST a",
                              "EXPIRE a 10 XX", "EXPIRE missing 10", "SWAPDB 1 1", "TOUCH a", "KEYS *", "SCAN 0",
                              "RANDOMKEY", "TTL a", "OBJECT ENCODING a", "FLUSHDB FOO"}) {
    server.run(command);
    CAPTURE(command);
    CHECK(mirror.effects() == 0);
  }
  server.keyspace().set_sink(nullptr);
}
