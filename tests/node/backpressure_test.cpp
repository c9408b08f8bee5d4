// Pipelines, clients that do not read, halves of connections.

#include <doctest/doctest.h>

#include <thread>

#include "tests/node/fixture.h"

using magpie::testing::bulk;
using magpie::testing::Client;
using magpie::testing::encode;
using magpie::testing::eventually;
using magpie::testing::TestNode;

namespace {

const std::string kLarge(10'000, 'x');
constexpr int kPipeline = 2000;

std::string many(std::string_view command, int count) {
  std::string wire;
  for (int i = 0; i < count; ++i) wire += command;
  return wire;
}

}  // namespace

TEST_CASE("two thousand pipelined commands are answered in order") {
  TestNode node;
  Client client(node);
  std::string wire;
  for (int i = 0; i < kPipeline; ++i) {
    wire += encode({"SET", "k" + std::to_string(i % 7), std::to_string(i)});
    wire += encode({"GET", "k" + std::to_string(i % 7)});
  }
  client.send(wire);
  for (int i = 0; i < kPipeline; ++i) {
    REQUIRE(client.reply() == "+OK\r\n");
    REQUIRE(client.reply() == bulk(std::to_string(i)));
  }
}

TEST_CASE("a pipeline that arrives byte by byte is the same pipeline") {
  TestNode node;
  Client client(node);
  const std::string wire = encode({"SET", "key", "a\r\nb"}) + "PING\r\n" + encode({"GET", "key"});
  for (const char byte : wire) client.send({&byte, 1});
  CHECK(client.reply() == "+OK\r\n");
  CHECK(client.reply() == "+PONG\r\n");
  CHECK(client.reply() == bulk("a\r\nb"));
}

TEST_CASE("replies beyond every buffer come in full once they are read") {
  TestNode node;
  Client client(node);
  REQUIRE(client.run("SET k " + kLarge) == "+OK\r\n");
  std::thread writer([&] { client.send(many("GET k\r\n", kPipeline) + "PING\r\n"); });
  for (int i = 0; i < kPipeline; ++i) REQUIRE(client.reply() == bulk(kLarge));
  CHECK(client.reply() == "+PONG\r\n");
  writer.join();
}

TEST_CASE("a client that closes its sending half gets all that it asked for") {
  TestNode node;
  Client client(node);
  REQUIRE(client.run("SET k " + kLarge) == "+OK\r\n");
  std::thread writer([&] {
    client.send(many("GET k\r\n", kPipeline));
    client.shut_down_writing();
  });
  for (int i = 0; i < kPipeline; ++i) REQUIRE(client.reply() == bulk(kLarge));
  CHECK(client.closed());
  writer.join();
  CHECK(eventually([&] { return node.state().clients.size() == 0; }));
}

TEST_CASE("a client that does not read is held up and costs little") {
  TestNode node;
  Client other(node);
  REQUIRE(other.run("SET k " + kLarge) == "+OK\r\n");
  Client greedy(node);
  const std::string id = magpie::testing::id_of(greedy);
  const std::string get = "GET " + std::string(1000, ' ') + "k\r\n";  // so that fewer fill the socket
  int sent = 0;
  while (greedy.try_send(get)) ++sent;
  const auto state = node.state().clients.find(magpie::server::ClientId{std::stoull(id)});
  REQUIRE(state != nullptr);
  constexpr std::uint64_t kMost = 1 << 20;
  CHECK(eventually([&] { return state->output_queue > 0; }));
  CHECK(state->output_queue < kMost);
  CHECK(state->query_buffer + state->query_buffer_free < kMost);
  CHECK(other.run("PING") == "+PONG\r\n");
  greedy.shut_down_writing();  // the last command may have been sent in part
  for (int i = 0; i < sent; ++i) REQUIRE(greedy.reply() == bulk(kLarge));
}

TEST_CASE("a client over its output limit is closed") {
  magpie::config::Settings settings;
  settings.client_output_buffer_limit.normal.hard_bytes = 1 << 20;
  TestNode node(settings);
  Client client(node);
  REQUIRE(client.run("SET k " + kLarge) == "+OK\r\n");
  std::vector<std::string> keys(3000, "k");
  keys.insert(keys.begin(), "MGET");
  client.send(encode(keys));
  CHECK(client.closed());
  CHECK(eventually([&] { return node.state().clients.size() == 0; }));
}

TEST_CASE("the limit of the input concerns what is no argument yet") {
  magpie::config::Settings settings;
  settings.client_query_buffer_limit = 1 << 20;
  TestNode node(settings);
  Client client(node);
  std::vector<std::string> get{"MGET"};
  for (int i = 0; i < 99'999; ++i) get.push_back("key:" + std::to_string(i));
  std::vector<std::string> set{"MSET"};
  for (int i = 0; i < 50; ++i) set.insert(set.end(), {std::to_string(i), std::string(40'000, 'x')});
  client.send(encode(get) + encode(set) + encode({"SET", "k", std::string(1'048'000, 'x')}));
  CHECK(client.reply().starts_with("*99999\r\n$-1\r\n"));
  CHECK(client.reply() == "+OK\r\n");
  CHECK(client.reply() == "+OK\r\n");
  client.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1050000\r\n" + std::string((1 << 20) + 1, 'x'));
  CHECK(client.closed());
  Client other(node);
  CHECK(other.run("INFO stats").find("client_query_buffer_limit_disconnections:1\r\n") != std::string::npos);
}

TEST_CASE("input that will never be a command is limited") {
  magpie::config::Settings settings;
  settings.client_query_buffer_limit = 1 << 20;
  TestNode node(settings);
  Client sender(node);
  bool taken = true;
  const std::string header = "*2\r\n$3\r\nGET\r\n$100000000\r\n";
  taken = sender.try_send(header);
  const std::string piece(100'000, 'x');
  CHECK(eventually([&] { return !sender.try_send(piece) && node.state().clients.size() == 0; }));
  CHECK(taken);
  Client queuer(node);
  CHECK(queuer.run("MULTI") == "+OK\r\n");
  CHECK(eventually([&] { return !queuer.try_send(encode({"SET", "k", piece})) && node.state().clients.size() == 0; }));
}
