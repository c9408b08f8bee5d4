// Two thousand connections of every kind, all open at the same time, on four loops.

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>

#include "server/file_limit.h"
#include "server/limits.h"
#include "tests/node/crowd.h"
#include "tests/node/load.h"

using magpie::testing::bulk;
using magpie::testing::Client;
using magpie::testing::encode;
using magpie::testing::eventually;
using magpie::testing::expect;
using magpie::testing::four_loops;
using magpie::testing::Group;
using magpie::testing::kLargeValue;
using magpie::testing::make_crowd;
using magpie::testing::Random;
using magpie::testing::TestNode;

namespace {

using Crowd = std::vector<std::unique_ptr<Group>>;

constexpr std::int64_t kConnections = 2000;
constexpr int kSteady = 4;

std::int64_t info(Client& client, const std::string& name) {
  const std::string text = client.run("INFO clients memory");
  const std::size_t at = text.find("\n" + name + ":");
  if (at == std::string::npos) magpie::testing::unexpected(text, name);
  return std::stoll(text.substr(at + name.size() + 2));
}

/// As many as the limit of open files is good for: both ends of a connection are in this process.
std::int64_t possible_connections() {
  constexpr std::int64_t kOthers = 100;
  const std::int64_t files = magpie::server::make_room_for_clients(2 * kConnections + kOthers, 4);
  return std::min(kConnections, (files - kOthers) / 2);
}

void all_at_once(const Crowd& crowd, void (Group::*step)()) {
  std::vector<std::future<void>> running;
  running.reserve(crowd.size());
  for (const auto& group : crowd) running.push_back(std::async(std::launch::async, step, group.get()));
  for (auto& one : running) one.get();
}

std::size_t sum(const Crowd& crowd, std::size_t (Group::*of)() const) {
  std::size_t total = 0;
  for (const auto& group : crowd) total += (group.get()->*of)();
  return total;
}

/// Clients without faults, which ask until they are told to end, also when the test ends early.
class Steady {
 public:
  explicit Steady(const TestNode& node) {
    for (std::uint64_t seed = 1; seed <= kSteady; ++seed) {
      asking_.push_back(std::async(
          std::launch::async, [client = Client(node), seed, this]() mutable { return ask(client, Random(seed)); }));
    }
  }
  ~Steady() { end_ = true; }
  Steady(const Steady&) = delete;
  Steady& operator=(const Steady&) = delete;

  /// Every one of them has checked replies, all right, or an exception says what came instead.
  bool end() {
    end_ = true;
    return std::ranges::all_of(asking_, [](auto& one) { return one.get() > 0; });
  }

 private:
  std::int64_t ask(Client& client, Random random) const {
    const std::string key = "steady:" + std::to_string(random.next());
    std::int64_t replies = 0;
    for (; !end_; ++replies) {
      const std::string value = random.bytes(random.below(1000));
      client.send(encode({"SET", key, value}));
      expect(client, "+OK\r\n");
      client.send(encode({"GET", key}));
      expect(client, bulk(value));
    }
    client.send(encode({"DEL", key}));
    expect(client, ":1\r\n");
    return replies;
  }

  std::atomic<bool> end_ = false;
  std::vector<std::future<std::int64_t>> asking_;  // last: their threads end first
};

/// While every connection of the crowd is in the middle of what it does.
void check_held(TestNode& node, Client& client, const Crowd& crowd) {
  const std::size_t all = 1 + kSteady + sum(crowd, &Group::size);
  CHECK(eventually([&] {
    const auto connected = static_cast<std::size_t>(info(client, "connected_clients"));
    return connected >= all - sum(crowd, &Group::perhaps_closed) &&
           connected <= all - sum(crowd, &Group::surely_closed);
  }));
  CHECK(eventually([&] {
    const auto clients = node.state().clients.all();
    const auto held_up = std::ranges::count_if(clients, [](const auto& one) { return one->output_queue > 0; });
    return static_cast<std::size_t>(held_up) >= sum(crowd, &Group::held_up);
  }));
}

/// What the server may hold then. A buffer may be as large again as what it has to take.
std::int64_t most_memory(const Crowd& crowd) {
  constexpr std::size_t kEach = 4096;
  constexpr std::size_t kHeldUp = magpie::server::kOutputHighWater + kLargeValue;
  return static_cast<std::int64_t>(kEach * sum(crowd, &Group::size) + 2 * kHeldUp * sum(crowd, &Group::held_up) +
                                   2 * sum(crowd, &Group::unfinished_bytes));
}

/// Memory that a sanitizer keeps is not the server's.
void check_resident(Client& client, std::int64_t most) {
#ifdef MAGPIE_SANITIZED
  (void)client;
  (void)most;
#else
  CHECK(info(client, "used_memory_rss") <= most);
#endif
}

}  // namespace

TEST_CASE("two thousand connections of every kind at once, or as many as there may be files for, get what is theirs") {
  constexpr std::int64_t kThreadsAndLoops = 32 << 20;
  constexpr std::int64_t kOneClient = 4096;
  const std::int64_t connections = possible_connections();
  if (connections < kConnections) MESSAGE("only " << connections << " connections");
  TestNode node(four_loops());
  Client client(node);
  client.send(encode({"SET", "large", std::string(kLargeValue, 'x')}));
  expect(client, "+OK\r\n");
  const std::int64_t resident = info(client, "used_memory_rss") + kThreadsAndLoops;
  const Crowd crowd = make_crowd(node, static_cast<std::size_t>(connections));
  CHECK(eventually([&] { return info(client, "connected_clients") == connections + 1; }));

  Steady steady(node);
  all_at_once(crowd, &Group::begin);
  check_held(node, client, crowd);
  const std::int64_t most = most_memory(crowd);
  CHECK(info(client, "mem_clients_normal") <= most);
  check_resident(client, resident + most);
  all_at_once(crowd, &Group::end);
  CHECK(steady.end());

  CHECK(eventually([&] { return info(client, "connected_clients") == 1; }));
  CHECK(info(client, "mem_clients_normal") <= kOneClient);
  check_resident(client, resident + most);
  CHECK(client.run("GET halves") == bulk(std::to_string(sum(crowd, &Group::counted))));
  CHECK(client.run("DBSIZE") == ":" + std::to_string(1 + sum(crowd, &Group::keys)) + "\r\n");
}
