// List commands of several clients on four loops: elements that move between lists are neither lost nor doubled, and
// lists that expire or are evicted go as a whole.

#include <doctest/doctest.h>

#include <algorithm>
#include <variant>

#include "server/engine/memory.h"
#include "server/state/clock.h"
#include "tests/engine/keyspace_checks.h"
#include "tests/engine/whole_element.h"
#include "tests/node/load.h"
#include "tests/node/own_lists.h"

using magpie::Db;
using magpie::engine::Entry;
using magpie::engine::kAllStripes;
using magpie::engine::Keyspace;
using magpie::engine::ListView;
using magpie::engine::used_memory;
using magpie::resp::Reply;
using magpie::testing::Client;
using magpie::testing::encode;
using magpie::testing::eventually;
using magpie::testing::expect;
using magpie::testing::expect_number;
using magpie::testing::four_loops;
using magpie::testing::is_whole;
using magpie::testing::OwnLists;
using magpie::testing::Random;
using magpie::testing::rounds;
using magpie::testing::run_all;
using magpie::testing::TestNode;
using magpie::testing::unexpected;
using magpie::testing::whole_element;

namespace {

using Words = std::vector<std::string>;

// --- elements on their way round ---

constexpr std::uint64_t kRings = 8;
constexpr std::uint64_t kTokens = 4000;

std::string ring(std::uint64_t number) { return "ring:" + std::to_string(number); }
std::string some_ring(Random& random) { return ring(random.below(kRings)); }
std::string some_end(Random& random) { return random.one_in(2) ? "LEFT" : "RIGHT"; }

Words elements_of(Client& client) {
  const std::string raw = client.reply();
  Reply reply;
  if (!raw.starts_with("*") ||
      !std::holds_alternative<magpie::resp::ReplyParsed>(magpie::resp::read_reply(raw, {}, reply))) {
    unexpected(raw, "an array");
  }
  Words elements;
  elements.reserve(reply.elements.size());
  for (const Reply& element : reply.elements) elements.push_back(element.text);
  return elements;
}

std::int64_t expect_whole(const Words& elements) {
  for (const std::string& element : elements) {
    if (!is_whole(element)) unexpected(element, "a whole element");
  }
  return static_cast<std::int64_t>(elements.size());
}

void expect_moved(Client& client) {
  const std::string got = client.reply();
  const std::size_t start = got.find('\n') + 1;
  if (!got.starts_with("$") || got.size() < start + 2 || !is_whole(got.substr(start, got.size() - start - 2))) {
    unexpected(got, "a whole element");
  }
}

/// In one transaction, so that none is on its way.
void expect_all_there(Client& client) {
  std::string wire = "MULTI\r\n";
  for (std::uint64_t number = 0; number < kRings; ++number) wire += encode({"LLEN", ring(number)});
  client.send(wire + "EXEC\r\n");
  expect(client, "+OK\r\n");
  for (std::uint64_t number = 0; number < kRings; ++number) expect(client, "+QUEUED\r\n");
  const std::string got = client.reply();
  std::uint64_t sum = 0;
  for (std::size_t at = got.find(':'); at != std::string::npos; at = got.find(':', at + 1)) {
    sum += std::stoull(got.substr(at + 1));
  }
  if (sum != kTokens) unexpected(got, "the number of all elements");
}

/// Moves elements about, and changes copies of the lists, which share with them; returns how many it has seen of these.
std::int64_t circulate(const TestNode& node, Random random) {
  constexpr int kMoves = 20;
  Client client(node);
  const std::string own = "copy:" + std::to_string(random.next());
  std::int64_t seen = 0;
  for (int turn = 0; turn < 60 * rounds(); ++turn) {
    std::string wire;
    for (int move = 0; move < kMoves; ++move) {
      wire += random.one_in(4)
                  ? encode({"RPOPLPUSH", some_ring(random), some_ring(random)})
                  : encode({"LMOVE", some_ring(random), some_ring(random), some_end(random), some_end(random)});
    }
    const std::string first = std::to_string(random.below(300));
    wire += encode({"COPY", some_ring(random), own, "REPLACE"}) + encode({"LTRIM", own, "3", "-3"}) +
            encode({"LSET", own, first, whole_element(random.below(kTokens))}) +
            encode({"LPUSH", own, whole_element(random.below(kTokens))}) + encode({"LRANGE", own, first, "-50"}) +
            encode({random.one_in(2) ? "DEL" : "UNLINK", own});
    client.send(wire);
    for (int move = 0; move < kMoves; ++move) expect_moved(client);
    expect(client, ":1\r\n");
    expect(client, "+OK\r\n");
    expect_either(client, "+OK\r\n", "-ERR ");  // it may have become short
    expect_number(client);
    seen += expect_whole(elements_of(client));
    expect(client, ":1\r\n");
    if (turn % 4 == 0) expect_all_there(client);
  }
  return seen;
}

void fill_rings(Client& client) {
  std::string wire;
  for (std::uint64_t token = 0; token < kTokens; ++token) {
    wire += encode({"RPUSH", ring(token % kRings), whole_element(token)});
  }
  client.send(wire);
  for (std::uint64_t token = 0; token < kTokens; ++token) expect_number(client);
}

// --- lists that go ---

std::int64_t keep_lists(const TestNode& node, Random random) {
  OwnLists lists(node, random);
  for (int step = 0; step < 1000 * rounds(); ++step) lists.step();
  return lists.check_all();
}

/// A command on lists that all clients change.
Words shared_command(Random& random) {
  const auto list = [&] { return "shared:" + std::to_string(random.below(12)); };
  const auto element = [&] { return whole_element(random.below(500)); };
  const auto index = [&] { return std::to_string(static_cast<std::int64_t>(random.below(60)) - 30); };
  switch (random.below(14)) {
    case 0:
      return {"LMOVE", list(), list(), some_end(random), some_end(random)};
    case 1:
      return {"LINSERT", list(), "BEFORE", element(), element()};
    case 2:
      return {"LTRIM", list(), index(), index()};
    case 3:
      return {"COPY", list(), list() + "b", "REPLACE"};
    case 4:
      return {"COPY", list() + "b", list(), "REPLACE"};
    case 5:
      return {random.one_in(2) ? "UNLINK" : "DEL", list(), list() + "b"};
    case 6:
      return {"PEXPIRE", list(), std::to_string(1 + random.below(20))};
    case 7:
      return {"LRANGE", list(), index(), index()};
    case 8:
      return {"LPOP", list(), std::to_string(random.below(5))};
    case 9:
      return {"LREM", list(), index(), element()};
    default:
      return {random.one_in(2) ? "RPUSH" : "LPUSH", list(), element(), element(), element()};
  }
}

void check_texts(const Reply& reply, const std::string& raw) {
  if (reply.type == Reply::Type::Error && !reply.text.starts_with("OOM ")) unexpected(raw, "another reply");
  if (reply.type == Reply::Type::Bulk && !is_whole(reply.text)) unexpected(raw, "a whole element");
  for (const Reply& element : reply.elements) check_texts(element, raw);
}

std::int64_t share_lists(const TestNode& node, Random random) {
  constexpr int kPipeline = 20;
  Client client(node);
  for (int turn = 0; turn < 60 * rounds(); ++turn) {
    std::string wire;
    for (int command = 0; command < kPipeline; ++command) wire += encode(shared_command(random));
    client.send(wire);
    for (int command = 0; command < kPipeline; ++command) {
      const std::string raw = client.reply();
      Reply reply;
      if (!std::holds_alternative<magpie::resp::ReplyParsed>(magpie::resp::read_reply(raw, {}, reply))) {
        unexpected(raw, "a reply");
      }
      check_texts(reply, raw);
    }
  }
  return 0;
}

constexpr std::int64_t kMostData = std::int64_t{256} << 10;

/// Less room and more, and now and then nothing is left.
std::int64_t change_limits(const TestNode& node, Random random) {
  Client client(node);
  const std::int64_t used = used_memory();
  for (int i = 0; i < 20 * rounds(); ++i) {
    const std::int64_t limit = used + kMostData / static_cast<std::int64_t>(1 + random.below(4));
    client.send("CONFIG SET maxmemory " + std::to_string(limit) + " maxmemory-policy allkeys-lru\r\n");
    expect(client, "+OK\r\n");
    if (random.one_in(10)) {
      client.send("FLUSHALL ASYNC\r\n");
      expect(client, "+OK\r\n");
    }
    for (int command = 0; command < 50; ++command) client.send("DBSIZE\r\n");
    for (int command = 0; command < 50; ++command) expect_number(client);
  }
  return 0;
}

/// What there is are whole lists, and what is counted of them is right.
void check_content(Keyspace& keyspace) {
  const Keyspace::Guard guard = keyspace.lock(kAllStripes);
  keyspace.visit_all(Db{0}, [](Entry& entry) {
    const ListView list = entry.list();
    REQUIRE((list.large() == nullptr || list.large()->consistent()));
    REQUIRE(list.size() > 0);
    for (ListView::Cursor at(list, 0); at.valid(); at.next()) {
      magpie::engine::IntegerScratch scratch;
      REQUIRE(is_whole(text_of(at.value(), scratch)));
    }
  });
  magpie::testing::check_size(keyspace, Db{0}, magpie::server::wall_clock());
}

/// What is gone and still counts.
void free_all() {
  while (magpie::engine::List::free_some(1000) > 0) {
  }
}

}  // namespace

TEST_CASE("elements that four loops move between lists are neither lost nor doubled") {
  TestNode node(four_loops());
  Client client(node);
  fill_rings(client);
  CHECK(run_all(node, {circulate, circulate, circulate, circulate}) > 0);
  Words all;
  for (std::uint64_t number = 0; number < kRings; ++number) {
    client.send(encode({"LRANGE", ring(number), "0", "-1"}));
    const Words elements = elements_of(client);
    CHECK(client.run("LLEN " + ring(number)) == ":" + std::to_string(elements.size()) + "\r\n");
    all.insert(all.end(), elements.begin(), elements.end());
  }
  Words expected;
  for (std::uint64_t token = 0; token < kTokens; ++token) expected.push_back(whole_element(token));
  std::ranges::sort(all);
  std::ranges::sort(expected);
  CHECK((all == expected));
  CHECK(client.run("DBSIZE") == ":" + std::to_string(kRings) + "\r\n");
  check_content(node.state().keyspace);
}

TEST_CASE("lists that grow, expire and are evicted on four loops are whole or gone") {
  free_all();
  const std::int64_t before = used_memory();
  {
    TestNode node(four_loops());
    Keyspace& keyspace = node.state().keyspace;
    run_all(node, {keep_lists, keep_lists, keep_lists, share_lists, share_lists, share_lists, change_limits});
    CHECK(keyspace.counters().evicted > 0);
    CHECK(eventually([&] { return keyspace.counters().expired > 0; }));
    check_content(keyspace);
    Client client(node);
    CHECK(client.run("CONFIG SET maxmemory 0") == "+OK\r\n");
    const std::int64_t limit = used_memory();
    fill_rings(client);
    CHECK(client.run("CONFIG SET maxmemory " + std::to_string(limit)) == "+OK\r\n");
    CHECK(eventually([&] { return used_memory() <= limit; }));
    check_content(keyspace);
    CHECK(client.run("CONFIG SET maxmemory 0") == "+OK\r\n");
    CHECK(client.run("RPUSH last a b") == ":2\r\n");
    CHECK(client.run("LRANGE last 0 -1") == "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    CHECK(client.run("FLUSHALL") == "+OK\r\n");
    CHECK(client.run("DBSIZE") == ":0\r\n");
    CHECK(eventually([&] { return keyspace.pending_lazy_free() == 0; }));
  }
  free_all();
  CHECK(used_memory() == before);
}
