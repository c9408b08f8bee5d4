#include <doctest/doctest.h>

#include <random>
#include <set>

#include "tests/commands/test_server.h"

using magpie::ByteView;
using magpie::testing::TestServer;

namespace {

/// Words of a reply, bulk strings only, in order.
std::vector<std::string> bulks(const std::string& reply) {
  std::vector<std::string> found;
  std::size_t at = 0;
  while ((at = reply.find('$', at)) != std::string::npos) {
    const std::size_t line_end = reply.find("\r\n", at);
    const std::size_t size = std::stoul(reply.substr(at + 1, line_end - at - 1));
    found.push_back(reply.substr(line_end + 2, size));
    at = line_end + 2 + size;
  }
  return found;
}

struct Step {
  std::string cursor;
  std::vector<std::string> keys;
};

Step scan_once(TestServer& server, const std::string& cursor, const std::string& options) {
  std::vector<std::string> words = bulks(server.run("SCAN " + cursor + " " + options));
  REQUIRE(!words.empty());
  Step step{words.front(), {}};
  step.keys.assign(words.begin() + 1, words.end());
  return step;
}

std::multiset<std::string> scan_all(TestServer& server, const std::string& options) {
  std::multiset<std::string> found;
  std::string cursor = "0";
  do {
    const Step step = scan_once(server, cursor, options);
    found.insert(step.keys.begin(), step.keys.end());
    cursor = step.cursor;
  } while (cursor != "0");
  return found;
}

void set_many(TestServer& server, const std::string& prefix, int count) {
  for (int number = 0; number < count; ++number) server.run("SET " + prefix + std::to_string(number) + " v");
}

}  // namespace

TEST_CASE("a scan of keys that stay put returns each exactly once") {
  for (const char* count : {"1", "7", "10", "1000", "9223372036854775807", "1844674407370955162"}) {
    CAPTURE(count);
    TestServer server;
    set_many(server, "k", 777);
    const auto found = scan_all(server, std::string("COUNT ") + count);
    CHECK(found.size() == 777);
    CHECK(std::set<std::string>(found.begin(), found.end()).size() == 777);
  }
}

TEST_CASE("a scan returns every key that is there from start to end, while the tables grow and shrink") {
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    CAPTURE(seed);
    TestServer server;
    std::mt19937 random(seed);
    set_many(server, "stays", 300);
    int others = 0;
    std::set<std::string> found;
    std::string cursor = "0";
    int step_number = 0;
    do {
      Step step = scan_once(server, cursor, "COUNT " + std::to_string(1 + random() % 20));
      found.insert(step.keys.begin(), step.keys.end());
      cursor = step.cursor;
      // Waves: up to 6,000 other keys come, and then they all go.
      const bool growing = step_number++ / 5 % 2 == 0;
      for (int change = 0; change < 1200; ++change) {
        if (growing) {
          server.run("SET other" + std::to_string(others++) + " v");
        } else if (others > 0) {
          server.run("DEL other" + std::to_string(--others));
        }
      }
      REQUIRE(step_number < 100'000);
    } while (cursor != "0");
    CHECK(step_number > 10);
    for (int number = 0; number < 300; ++number) {
      CAPTURE(number);
      CHECK(found.contains("stays" + std::to_string(number)));
    }
  }
}

TEST_CASE("expired keys are not scanned, listed or drawn, though they may still be there") {
  TestServer server;
  set_many(server, "gone", 500);
  for (int number = 0; number < 500; ++number) server.run("PEXPIRE gone" + std::to_string(number) + " 10");
  server.run("SET live v");
  server.advance(11);
  CHECK(server.run("DBSIZE") == ":501\r\n");
  CHECK(scan_all(server, "") == std::multiset<std::string>{"live"});
  CHECK(server.run("KEYS *") == "*1\r\n$4\r\nlive\r\n");
  for (int draw = 0; draw < 20; ++draw) CHECK(server.run("RANDOMKEY") == "$4\r\nlive\r\n");
}

TEST_CASE("options of SCAN choose among the keys") {
  TestServer server;
  set_many(server, "a", 20);
  set_many(server, "b", 20);
  server.run({"SET", "", "empty"});
  CHECK(scan_all(server, "").size() == 41);
  CHECK(scan_all(server, "MATCH *").size() == 41);
  CHECK(scan_all(server, "MATCH **").size() == 40);  // the empty key is matched by no other pattern
  CHECK(scan_all(server, "MATCH a* COUNT 3").size() == 20);
  CHECK(scan_all(server, "match a* match b1").size() == 1);
  CHECK(scan_all(server, "TYPE STRING").size() == 41);
  CHECK(scan_all(server, "TYPE hash").empty());
  CHECK(server.run("KEYS b1?") != server.run("KEYS b1"));
}

TEST_CASE("cursors are read as strtoul reads numbers") {
  TestServer server;
  const std::string end = "*2\r\n$1\r\n0\r\n*0\r\n";
  CHECK(server.run({"SCAN", ""}) == end);
  CHECK(server.run("SCAN +0") == end);
  CHECK(server.run("SCAN -1") == end);
  CHECK(server.run("SCAN 18446744073709551615") == end);
  CHECK(server.run({"SCAN", ByteView("0\0x", 3)}) == end);
  for (const char* bad : {"abc", "1x", "18446744073709551616", "-", "\t0", " 0"}) {
    CAPTURE(bad);
    CHECK(server.run({"SCAN", bad}) == "-ERR invalid cursor\r\n");
  }
}

TEST_CASE("any number is a cursor that comes to an end") {
  TestServer server;
  set_many(server, "k", 200);
  std::mt19937_64 random(5);
  for (int attempt = 0; attempt < 50; ++attempt) {
    std::string cursor = std::to_string(random());
    int steps = 0;
    do {
      cursor = scan_once(server, cursor, "").cursor;
    } while (cursor != "0" && ++steps < 1000);
    CHECK(cursor == "0");
  }
}

TEST_CASE("RANDOMKEY draws every key some time") {
  TestServer server;
  CHECK(server.run("RANDOMKEY") == "$-1\r\n");
  set_many(server, "k", 8);
  std::set<std::string> drawn;
  for (int draw = 0; draw < 1000; ++draw) drawn.insert(server.run("RANDOMKEY"));
  CHECK(drawn.size() == 8);
}
