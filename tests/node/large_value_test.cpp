// Large values that replies refer to: what they cost, and that nobody sees them change.

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "server/engine/entry_block.h"
#include "server/engine/memory.h"
#include "tests/node/fixture.h"

using magpie::engine::EntryBlock;
using magpie::engine::used_memory;
using magpie::testing::bulk;
using magpie::testing::Client;
using magpie::testing::encode;
using magpie::testing::eventually;
using magpie::testing::kSanitized;
using magpie::testing::TestNode;

namespace {

constexpr std::size_t kHuge = kSanitized ? 6'000'000 : 12'000'000;  // more than sockets take, those of readers

std::int64_t number_of(const std::string& text, const std::string& field) {
  const std::size_t at = text.find(field);
  REQUIRE(at != std::string::npos);
  return std::stoll(text.substr(at + field.size()));
}

/// A client in whose socket little fits.
Client reader_of(const TestNode& node) { return Client(node.port(), "127.0.0.1", Client::Segments::Small); }

/// Whether a bulk reply is one byte again and again.
bool uniform(const std::string& reply) {
  const std::size_t start = reply.find('\n') + 1;
  return reply.find_first_not_of(reply[start], start) == reply.size() - 2;
}

}  // namespace

TEST_CASE("a value that many clients wait for is there once, and as long as one of them reads it") {
  TestNode node;
  Client owner(node);
  const std::string value(kHuge, 'v');
  owner.send(encode({"SET", "k", value}));
  REQUIRE(owner.reply() == "+OK\r\n");
  const std::int64_t before = used_memory();
  std::vector<Client> readers = magpie::testing::connect(node, 5, Client::Segments::Small);
  std::vector<std::string> ids;
  for (Client& reader : readers) {
    ids.push_back(magpie::testing::id_of(reader));
    reader.send("GET k\r\n");
  }
  for (const std::string& id : ids) {
    CHECK(eventually([&] { return number_of(owner.run("CLIENT LIST ID " + id), " omem=") >= std::int64_t{kHuge}; }));
    CHECK(number_of(owner.run("CLIENT LIST ID " + id), " tot-mem=") >= std::int64_t{kHuge});
  }
  CHECK(used_memory() < before + 1'000'000);
  CHECK(number_of(owner.run("INFO memory"), "used_memory:") < before + 1'000'000);

  REQUIRE(owner.run("DEL k") == ":1\r\n");
  CHECK(used_memory() < before - std::int64_t{kHuge});
  CHECK(number_of(owner.run("INFO memory"), "used_memory:") > std::int64_t{kHuge});
  for (Client& reader : readers) CHECK((reader.reply() == bulk(value)));
  CHECK(eventually([&] { return EntryBlock::memory_of_replies() == 0; }));
  for (const std::string& id : ids) CHECK(number_of(owner.run("CLIENT LIST ID " + id), " omem=") == 0);
}

TEST_CASE("a value that a reply refers to counts for the limit of the output") {
  magpie::config::Settings settings;
  settings.client_output_buffer_limit.normal.hard_bytes = kHuge - 1'000'000;
  TestNode node(settings);
  Client owner(node);
  owner.send(encode({"SET", "k", std::string(kHuge, 'v')}));
  REQUIRE(owner.reply() == "+OK\r\n");
  Client reader = reader_of(node);
  reader.send("GET k\r\n");
  CHECK(reader.closed());
}

TEST_CASE("a value that only a reply refers to goes with its client") {
  TestNode node;
  Client client = reader_of(node);
  client.send(encode({"SET", "k", std::string(kHuge, 'v')}));
  REQUIRE(client.reply() == "+OK\r\n");
  client.send("GETDEL k\r\n");
  CHECK(eventually([] { return EntryBlock::memory_of_replies() > kHuge; }));
  client.reset();
  CHECK(eventually([] { return EntryBlock::memory_of_replies() == 0; }));
}

TEST_CASE("a reply that waits to be read shows the value as it was") {
  TestNode node;
  Client owner(node);
  const std::string value(kHuge, 'v');
  for (const std::vector<std::string>& change :
       {std::vector<std::string>{"SETRANGE", "k", std::to_string(kHuge - 5), "new"},
        {"SET", "k", std::string(kHuge, 'n')},
        {"APPEND", "k", "new"}}) {
    owner.send(encode({"SET", "k", value}));
    REQUIRE(owner.reply() == "+OK\r\n");
    Client reader = reader_of(node);
    const std::string id = magpie::testing::id_of(reader);
    reader.send("GET k\r\n");
    CHECK(eventually([&] { return number_of(owner.run("CLIENT LIST ID " + id), " omem=") > std::int64_t{kHuge}; }));
    owner.send(encode(change));
    CHECK_FALSE(owner.reply().starts_with("-"));
    CHECK((reader.reply() == bulk(value)));
    CHECK(owner.run("GETRANGE k -5 -1") != bulk("vvvvv"));
  }
}

TEST_CASE("replies of large values are whole while other loops change them") {
  magpie::config::Settings settings;
  settings.threads = 4;
  TestNode node(settings);
  constexpr int kRounds = 300;
  constexpr std::size_t kSize = 40'000;
  std::atomic<bool> good = true;
  const auto expect = [&](bool condition) {
    if (!condition) good = false;
  };
  {
    Client first(node);
    first.send(encode({"SET", "k", std::string(kSize, 'a')}));
    REQUIRE(first.reply() == "+OK\r\n");
  }
  std::vector<std::thread> threads;
  for (const char letter : {'b', 'c'}) {
    threads.emplace_back([&, letter] {
      Client writer(node);
      for (int i = 0; i < kRounds; ++i) {
        const std::string value(kSize, static_cast<char>(letter + i % 2));
        const std::vector<std::string> changes[] = {
            {"SET", "k", value}, {"SETRANGE", "k", "0", value}, {"GETSET", "k", value}};
        writer.send(encode(changes[i % 3]));
        const std::string reply = writer.reply();
        expect(i % 3 == 2 ? uniform(reply) : !reply.starts_with("-"));
      }
    });
  }
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Client reader(node);
      for (int round = 0; round < kRounds; ++round) {
        reader.send("GET k\r\nGETRANGE k 5 -1\r\nMGET k k\r\n");
        expect(uniform(reader.reply()));
        expect(uniform(reader.reply()));
        expect(reader.reply().size() > 2 * kSize);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good);
  CHECK(EntryBlock::memory_of_replies() == 0);
}
