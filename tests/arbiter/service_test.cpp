// A durable arbiter and its clients, over sockets.

#include "server/arbiter/service.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "cluster/arbiter/limits.h"
#include "server/arbiter/terms.h"
#include "tests/arbiter/fixture.h"

using namespace magpie::cluster;  // NOLINT(google-build-using-namespace): what an arbiter takes and gives
using magpie::Term;
using magpie::testing::TemporaryFolder;
using magpie::testing::TestClient;
using magpie::testing::TestService;
using magpie::testing::Told;

namespace {

constexpr std::chrono::milliseconds kShort{300};
constexpr const char* kTermKey = "/magpie/cluster/terms/0";

}  // namespace

TEST_CASE("arbiter service: transactions and reads as the store does them") {
  const TemporaryFolder folder;
  const TestService service(folder.path());
  TestClient client(service.port());
  CHECK(client.put("a", "1") == TransactionResult{true, {1}, {}});
  const Transaction both{.compares = {{"a", {1}}, {"b", {0}}}, .writes = {{"a", {}}, {"b", "2"}}, .reads = {"b", "a"}};
  CHECK(client.transact(both) == TransactionResult{true, {2}, {{"b", "2", {2}}}});
  CHECK(client.transact(both) == TransactionResult{false, {2}, {{"b", "2", {2}}}});
  CHECK(client.read({"a", "b", "c"}) == ReadResult{{2}, {{"b", "2", {2}}}});
}

TEST_CASE("arbiter service: what is beyond a limit is refused on this side, and what the store refuses on that one") {
  const TemporaryFolder folder;
  const TestService service(folder.path());
  TestClient client(service.port());
  CHECK(client.put("", "1").error().message == "a key without a name");
  CHECK(
      client.put("a", std::string(kMostValueBytes + 1, 'v')).error().message.starts_with("too many bytes of a value"));
  CHECK(client.read({std::string(kMostKeyBytes + 1, 'k')}).error().message.starts_with("too many bytes of a key"));
  const std::string value(kMostValueBytes, 'v');
  TestClient::Transacted result;
  for (int i = 0; result; ++i) result = client.put("key" + std::to_string(i), value);
  CHECK(result.error().message.starts_with("the arbiter has no room: "));
  CHECK(client.put("small", "1").has_value());
}

TEST_CASE("arbiter service: answers and changes that are longer than a frame come whole") {
  const TemporaryFolder folder;
  const TestService service(folder.path());
  TestClient client(service.port());
  const std::string value(kMostValueBytes, 'v');
  std::vector<std::string> keys;
  for (int i = 10; i < 30; ++i) {
    keys.push_back("key" + std::to_string(i));
    REQUIRE(client.put(keys.back(), value).has_value());
  }
  const auto read = client.read(keys);
  REQUIRE(read.has_value());
  REQUIRE(read->entries.size() == keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) CHECK(read->entries[i] == ArbiterEntry{keys[i], value, {i + 1}});
  std::size_t told = 0;
  const auto watch = client.arbiter().watch("key", {5}, [&](const Arbiter::Change& change) {
    CHECK(change.revision == Revision{20});
    told = change.writes.size();
  });
  CHECK(client.until([&] { return told > 0; }));
  CHECK(told == 15);
}

TEST_CASE("arbiter service: watches are told what others change, from a revision on, until they end") {
  const TemporaryFolder folder;
  const TestService service(folder.path());
  TestClient writer(service.port());
  TestClient client(service.port());
  REQUIRE(writer.put("x/a", "1").has_value());
  REQUIRE(writer.put("x/b", "2").has_value());
  Told all;
  Told late;
  auto watch = client.arbiter().watch("x/", {0}, all.on_change());
  const auto later = client.arbiter().watch("x/", {1}, late.on_change());
  CHECK(client.until([&] { return all.text == "x/a=1 x/b=2 " && late.text == "x/b=2 "; }));
  REQUIRE(writer.transact({.compares = {}, .writes = {{"x/a", {}}, {"y", "3"}, {"x/c", "4"}}, .reads = {}}));
  CHECK(client.until([&] { return all.text == "x/a=1 x/b=2 x/a- x/c=4 " && late.text == "x/b=2 x/a- x/c=4 "; }));
  watch.reset();
  REQUIRE(writer.put("x/d", "5").has_value());
  CHECK(client.until([&] { return late.text == "x/b=2 x/a- x/c=4 x/d=5 "; }));
  CHECK(all.text == "x/a=1 x/b=2 x/a- x/c=4 ");
}

TEST_CASE("arbiter service: clients and their watches go on with the next arbiter of the same data") {
  const TemporaryFolder folder;
  std::optional<TestService> service(std::in_place, folder.path());
  const int port = service->port();
  TestClient client(port);
  Told told;
  const auto watch = client.arbiter().watch("", {0}, told.on_change());
  REQUIRE(client.put("a", "1").has_value());
  REQUIRE(client.until([&] { return told.text == "a=1 "; }));
  service.reset();
  REQUIRE(client.until([&] { return !client.connected(); }));
  {  // something happens that the client does not see
    const TestService other(folder.path());
    TestClient writer(other.port());
    REQUIRE(writer.put("b", "2").has_value());
    REQUIRE(writer.transact({.compares = {}, .writes = {{"a", {}}}, .reads = {}}).has_value());
  }
  service.emplace(folder.path(), TestService::Options{.port = port});
  CHECK(client.read({"b"})->entries.size() == 1);  // it has waited for the connection
  CHECK(client.until([&] { return told.text == "a=1 a- b=2 "; }));
  CHECK(told.revision == Revision{3});
}

TEST_CASE("arbiter service: who has another secret or cluster is told so, and gets no answers") {
  const TemporaryFolder folder;
  const TestService service(folder.path());
  TestClient other_secret(service.port(), {.node = "a", .secret = "other", .request_time = kShort});
  REQUIRE(other_secret.is_troubled_by("the arbiter has another secret than this node"));
  const auto result = other_secret.put("a", "1");
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().message.find(
            "could not be asked within 300 ms: the arbiter has another secret than this node") != std::string::npos);
  TestClient other_cluster(service.port(), {.node = "b", .cluster = "other", .request_time = kShort});
  CHECK_FALSE(other_cluster.put("a", "1").has_value());
  CHECK(other_cluster.is_troubled_by("it refuses: this is the arbiter of the cluster 'cluster', not of 'other'"));
  CHECK(service.logged("event=refused node=b address="));
  CHECK(TestClient(service.port()).put("a", "1")->revision == Revision{1});
}

TEST_CASE("arbiter service: with a node that has seen a later term, an arbiter without it ends all service") {
  const TemporaryFolder folder;
  {
    const TestService service(folder.path());
    TestClient first(service.port(), {.node = "first"});
    REQUIRE(first.put(kTermKey, "4").has_value());
    TestClient same(service.port(), {.node = "same", .highest_term = Term{4}});
    CHECK(same.put("a", "1").has_value());
    TestClient later(service.port(), {.node = "later", .highest_term = Term{5}, .request_time = kShort});
    CHECK_FALSE(later.put("b", "1").has_value());
    CHECK(later.is_troubled_by("node 'later' has seen term 5, and the highest stored here is 4"));
    CHECK(first.is_troubled_by("restart it with --accept-empty"));
    CHECK(service.logged("event=outdated node=later node-term=5 stored-term=4"));
    TestClient fresh(service.port(), {.node = "fresh", .request_time = kShort});
    CHECK_FALSE(fresh.put("c", "1").has_value());
  }
  {
    const TestService service(folder.path(), {.accept_empty = true});
    TestClient later(service.port(), {.node = "later", .highest_term = Term{5}});
    CHECK(later.read({"a", "b", "c"})->entries.size() == 1);  // nothing was written meanwhile
    CHECK(later.put(kTermKey, "6").has_value());
    CHECK(service.logged("event=outdated-accepted node=later node-term=5 stored-term=4"));
  }
  const TestService service(folder.path());
  TestClient later(service.port(), {.node = "later", .highest_term = Term{6}});
  CHECK(later.put("b", "1").has_value());
}

TEST_CASE("arbiter service: terms are read as nodes write them, and what is none is compared with nothing") {
  CHECK(magpie::arbiter::parse_term("magpie-term 1\nterm 7\n") == Term{7});
  CHECK(magpie::arbiter::parse_term("7") == Term{7});
  for (const char* const none : {"", "x", "7x", "-1", "magpie-term 2\nterm 7\n", "magpie-term 1\nterm \n",
                                 "magpie-term 1\nterm 7", "99999999999999999999"}) {
    CHECK_FALSE(magpie::arbiter::parse_term(none).has_value());
  }
  const TemporaryFolder folder;
  const TestService service(folder.path());
  TestClient client(service.port());
  REQUIRE(client.put("/magpie/cluster/terms/0", "magpie-term 1\nterm 7\n").has_value());
  REQUIRE(client.put("/magpie/cluster/terms/1", "3").has_value());
  REQUIRE(client.put("/magpie/other/terms/0", "9").has_value());
  CHECK(TestClient(service.port(), {.highest_term = Term{7}}).put("a", "1").has_value());
  REQUIRE(client.put("/magpie/cluster/terms/1", "three").has_value());
  CHECK(TestClient(service.port()).put("a", "2").has_value());
  TestClient other(service.port(), {.highest_term = Term{1}, .request_time = kShort});
  CHECK_FALSE(other.put("a", "3").has_value());
  CHECK(other.is_troubled_by("the value of '/magpie/cluster/terms/1' is none that it can read"));
  CHECK(client.connected());
}

TEST_CASE("arbiter service: an empty arbiter serves nodes that have seen no term") {
  const TemporaryFolder folder;
  const TestService service(folder.path());
  TestClient client(service.port());
  CHECK(client.put("a", "1").has_value());
  CHECK(service.logged("event=connected node=node address=127.0.0.1:"));
}

TEST_CASE("arbiter service: of many clients that compare the same revision one wins") {
  const TemporaryFolder folder;
  const TestService service(folder.path());
  TestClient one(service.port());
  TestClient other(service.port());
  for (std::uint64_t round = 0; round < 20; ++round) {
    const Transaction take{.compares = {{"key", {round}}}, .writes = {{"key", "x"}}, .reads = {}};
    int wins = 0;
    int answers = 0;
    const auto count = [&](const auto& result) {
      ++answers;
      wins += result->succeeded ? 1 : 0;
    };
    for (TestClient* const client : {&one, &other, &one, &other}) client->arbiter().transact(take, count);
    REQUIRE(one.until([&] { return answers >= 2; }));
    REQUIRE(other.until([&] { return answers == 4; }));
    CHECK(wins == 1);
  }
}
