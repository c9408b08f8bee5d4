// Clients of many kinds at the same time, on four loops. What they get is known whatever the order: sums of counters,
// values of keys that only one of them writes, the number of lines that a monitor sees.

#include <doctest/doctest.h>

#include <future>
#include <map>
#include <set>
#include <stdexcept>

#include "tests/node/load.h"
#include "tests/node/misbehaviour.h"

using magpie::testing::bulk;
using magpie::testing::Client;
using magpie::testing::come_and_go;
using magpie::testing::encode;
using magpie::testing::eventually;
using magpie::testing::expect;
using magpie::testing::expect_either;
using magpie::testing::expect_number;
using magpie::testing::four_loops;
using magpie::testing::id_of;
using magpie::testing::Random;
using magpie::testing::rounds;
using magpie::testing::run_all;
using magpie::testing::TestNode;
using magpie::testing::unexpected;

namespace {

constexpr int kCounters = 7;
constexpr int kFixedKeys = 300;

std::string counter(Random& random) { return "count:" + std::to_string(random.below(kCounters)); }

// --- every job returns how often it has run INCR on one of the counters ---

/// Counts, alone and in pipelines; what one client sees of a counter only grows.
std::int64_t count(const TestNode& node, Random random) {
  Client client(node);
  std::map<std::string, std::int64_t> seen;
  std::int64_t total = 0;
  for (int i = 0; i < 100 * rounds(); ++i) {
    std::vector<std::string> keys;
    std::string wire;
    for (std::uint64_t length = random.one_in(2) ? 1 : random.below(60); keys.size() < length;) {
      keys.push_back(counter(random));
      wire += encode({"INCR", keys.back()});
    }
    client.send(wire);
    for (const std::string& key : keys) {
      const std::int64_t now = expect_number(client);
      if (now <= std::exchange(seen[key], now)) throw std::runtime_error(key + " went back");
    }
    total += static_cast<std::int64_t>(keys.size());
  }
  return total;
}

/// Asks and half-closes in one go, on a new connection each time.
std::int64_t ask_and_end(const TestNode& node, Random random) {
  std::int64_t total = 0;
  for (int i = 0; i < 50 * rounds(); ++i) {
    Client client(node);
    const std::uint64_t commands = 1 + random.below(20);
    std::string wire;
    for (std::uint64_t sent = 0; sent < commands; ++sent) wire += encode({"INCR", counter(random)});
    client.send(wire);
    client.shut_down_writing();
    for (std::uint64_t got = 0; got < commands; ++got) expect_number(client);
    expect(client, "");
    total += static_cast<std::int64_t>(commands);
  }
  return total;
}

/// Keys of its own, against a model; and keys that live a few milliseconds.
std::int64_t keep(const TestNode& node, Random random) {
  Client client(node);
  std::map<std::string, std::string> model;
  const std::string own = "own:" + std::to_string(random.next()) + ':';
  for (int i = 0; i < 500 * rounds(); ++i) {
    const std::string key = own + std::to_string(random.below(50));
    const std::string value = random.bytes(random.below(random.one_in(20) ? 20'000 : 100));
    const std::string life = std::to_string(1 + random.below(20));
    client.send(encode({"SET", key, value, "PX", "1000000"}) + encode({"PERSIST", key}) + encode({"GET", key}) +
                encode({"SET", key + "short", value}) + encode({"PEXPIRE", key + "short", life}) +
                encode({"GET", key + "short"}));
    expect(client, "+OK\r\n");
    expect(client, ":1\r\n");
    expect(client, bulk(value));
    expect(client, "+OK\r\n");
    expect(client, ":1\r\n");
    expect_either(client, bulk(value), "$-1\r\n");
    model[key] = value;
    const std::string other = own + std::to_string(random.below(50));
    client.send(encode({"GET", other}) + encode({"DEL", other}));
    const auto known = model.find(other);
    expect(client, known == model.end() ? "$-1\r\n" : bulk(known->second));
    expect(client, known == model.end() ? ":0\r\n" : ":1\r\n");
    if (known != model.end()) model.erase(known);
  }
  std::string wire;
  for (const auto& [key, value] : model) wire += encode({"DEL", key});
  client.send(wire);
  for (std::size_t i = 0; i < model.size(); ++i) expect(client, ":1\r\n");
  return 0;
}

/// Counts by WATCH, GET, MULTI, SET, EXEC, as often as it takes, and two keys in one transaction.
std::int64_t transact(const TestNode& node, Random random) {
  Client client(node);
  std::int64_t total = 0;
  for (int done = 0; done < 40 * rounds();) {
    client.send("WATCH watched\r\nGET watched\r\n");
    expect(client, "+OK\r\n");
    const std::string before = client.reply();
    const long value = before == "$-1\r\n" ? 0 : std::stol(before.substr(before.find('\n') + 1));
    const std::string key = counter(random);
    client.send("MULTI\r\nINCR " + key + "\r\nSET watched " + std::to_string(value + 1) + "\r\nEXEC\r\n");
    expect(client, "+OK\r\n");
    for (int queued = 0; queued < 2; ++queued) expect(client, "+QUEUED\r\n");
    if (client.reply() == "*-1\r\n") continue;
    ++done;
    ++total;
    client.send("MULTI\r\nINCR left\r\nINCR right\r\nMGET left right\r\nEXEC\r\nMULTI\r\nNONSENSE\r\nEXEC\r\n");
    for (int skipped = 0; skipped < 4; ++skipped) (void)client.reply();
    const std::string both = client.reply();
    const std::string values = both.substr(both.rfind("*2\r\n") + 4);
    if (values.substr(0, values.size() / 2) != values.substr(values.size() / 2)) unexpected(both, "equal values");
    expect(client, "+OK\r\n");
    if (!client.reply().starts_with("-ERR unknown command")) throw std::runtime_error("a command NONSENSE");
    if (const std::string got = client.reply(); !got.starts_with("-EXECABORT")) unexpected(got, "EXECABORT");
  }
  return total;
}

/// Goes through a database whose other keys come and go; the fixed ones must all be met.
std::int64_t scan(const TestNode& node, Random random) {
  Client client(node);
  client.send("SELECT 1\r\n");
  expect(client, "+OK\r\n");
  for (int i = 0; i < 4 * rounds(); ++i) {
    std::set<std::string> met;
    std::string cursor = "0";
    do {
      const std::string moving = "moving:" + std::to_string(random.below(2000));
      client.send(encode({"SET", moving, "v"}) + encode({"DEL", "moving:" + std::to_string(random.below(2000))}) +
                  encode({"SCAN", cursor, "COUNT", std::to_string(1 + random.below(30)), "MATCH", "fixed:*"}));
      expect(client, "+OK\r\n");
      expect_number(client);
      const std::string reply = client.reply();
      const std::size_t at = reply.find('\n', 4) + 1;
      cursor = reply.substr(at, reply.find('\r', at) - at);
      for (std::size_t key = reply.find("fixed:"); key != std::string::npos; key = reply.find("fixed:", key + 1)) {
        met.insert(reply.substr(key, reply.find('\r', key) - key));
      }
    } while (cursor != "0");
    if (met.size() != kFixedKeys) throw std::runtime_error("SCAN met " + std::to_string(met.size()) + " fixed keys");
  }
  return 0;
}

/// Databases 2 and 3 are exchanged again and again; seen in one transaction they are never the same. 5 is flushed.
std::int64_t swap(const TestNode& node, Random random) {
  const std::string one = "*4\r\n+OK\r\n" + bulk("a") + "+OK\r\n" + bulk("b");
  const std::string other = "*4\r\n+OK\r\n" + bulk("b") + "+OK\r\n" + bulk("a");
  Client client(node);
  for (int i = 0; i < 100 * rounds(); ++i) {
    client.send("SWAPDB 2 3\r\nMULTI\r\nSELECT 2\r\nGET here\r\nSELECT 3\r\nGET here\r\nEXEC\r\n");
    for (int skipped = 0; skipped < 6; ++skipped) (void)client.reply();
    expect_either(client, one, other);
    client.send("SELECT 5\r\nSET k" + std::to_string(random.below(100)) + " v\r\nFLUSHDB ASYNC\r\n");
    for (int command = 0; command < 3; ++command) expect(client, "+OK\r\n");
  }
  return 0;
}

/// Looks at all clients, and kills some that it has made.
std::int64_t watch_clients(const TestNode& node, Random random) {
  Client client(node);
  for (int i = 0; i < 20 * rounds(); ++i) {
    Client victim(node);
    const std::string id = id_of(victim);
    if (random.one_in(2)) victim.send("INCR a\r\nMONITOR\r\nINCR");
    client.send("CLIENT LIST\r\nCLIENT KILL ID " + id + "\r\nINFO everything\r\nCONFIG SET timeout 1000\r\n");
    const std::string list = client.reply();
    if (list.find("id=" + id + ' ') == std::string::npos) unexpected(list, "the victim's line");
    expect(client, ":1\r\n");
    if (!client.reply().starts_with("$")) throw std::runtime_error("no INFO");
    expect(client, "+OK\r\n");
    (void)victim.closed();
  }
  return 0;
}

std::int64_t misbehave(const TestNode& node, Random random) {
  come_and_go(node, static_cast<unsigned>(random.next()), 40 * rounds());
  return 0;
}

/// How often somebody counted before the last word.
std::int64_t lines_of_counting(Client& monitor) {
  std::int64_t lines = 0;
  while (true) {
    const std::string line = monitor.reply();
    if (line.find("\"ECHO\" \"the end\"") != std::string::npos) return lines;
    if (!line.starts_with("+")) unexpected(line, "a line");
    if (line.find("\"INCR\" \"count:") != std::string::npos) ++lines;
  }
}

void prepare(Client& client) {
  client.send("SET large " + std::string(20'000, 'x') + "\r\nSET a 1\r\nSET b 1\r\n" +
              "SELECT 2\r\nSET here a\r\nSELECT 3\r\nSET here b\r\nSELECT 1\r\n");
  for (int command = 0; command < 8; ++command) expect(client, "+OK\r\n");
  for (int key = 0; key < kFixedKeys; ++key) {
    client.send("SET fixed:" + std::to_string(key) + " v\r\n");
    expect(client, "+OK\r\n");
  }
  client.send("SELECT 0\r\n");
  expect(client, "+OK\r\n");
}

}  // namespace

TEST_CASE("a mixed load on four loops: every reply arrives and every count is right") {
  TestNode node(four_loops());
  Client client(node);
  prepare(client);
  Client monitor(node);
  REQUIRE(monitor.run("MONITOR") == "+OK\r\n");
  auto lines = std::async(std::launch::async, [&] { return lines_of_counting(monitor); });
  const std::int64_t counted =
      run_all(node, {count, count, ask_and_end, keep, keep, transact, transact, scan, swap, watch_clients, misbehave});
  client.send(encode({"ECHO", "the end"}));
  expect(client, bulk("the end"));
  CHECK(lines.get() == counted);
  monitor.close();
  std::int64_t sum = 0;
  for (int i = 0; i < kCounters; ++i) {
    const std::string value = client.run("GET count:" + std::to_string(i));
    sum += std::stoll(value.substr(value.find('\n') + 1));
  }
  CHECK(sum == counted);
  CHECK(client.run("GET watched") == bulk(std::to_string(2 * 40 * rounds())));
  CHECK(client.run("GET left") == bulk(std::to_string(2 * 40 * rounds())));
  // a, b, large, watched, left, right and the counters: what lives for milliseconds has gone.
  CHECK(eventually([&] { return client.run("DBSIZE") == ":" + std::to_string(6 + kCounters) + "\r\n"; }));
  CHECK(eventually([&] { return node.state().clients.size() == 1; }));
  CHECK(node.state().monitors.load() == 0);
}
