// The client of a durable arbiter, against arbiters that do not behave.

#include "server/arbiter/remote_arbiter.h"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "tests/arbiter/fake_arbiter.h"
#include "tests/arbiter/fixture.h"

using namespace magpie::cluster;  // NOLINT(google-build-using-namespace): what an arbiter takes and gives
using magpie::arbiter::RemoteArbiter;
using magpie::net::Loop;
using magpie::testing::FakeArbiter;
using magpie::testing::put_transaction;
using magpie::testing::run_until;
using magpie::testing::Told;
using magpie::wire::arbiter::Answer;
using magpie::wire::arbiter::Changed;
using magpie::wire::arbiter::Message;
using magpie::wire::arbiter::Refused;
using magpie::wire::arbiter::Transact;
using magpie::wire::arbiter::Watch;

namespace {

constexpr std::chrono::milliseconds kShort{200};

RemoteArbiter::Options options(int port, std::chrono::milliseconds request_time = magpie::arbiter::kRequestTime) {
  return {.endpoint = {"127.0.0.1", port},
          .identity = {"cluster", "secret"},
          .node = "node",
          .highest_term = {},
          .on_state = {},
          .request_time = request_time};
}

struct Result {
  Arbiter::OnTransaction take() {
    return [this](auto result) { done = std::move(result); };
  }
  bool failed_with(std::string_view words) const {
    return done && !*done && done->error().message.find(words) != std::string::npos;
  }
  std::optional<std::expected<TransactionResult, ArbiterError>> done;
};

}  // namespace

TEST_CASE("remote arbiter: a request whose connection breaks ends as unknown and is not sent again") {
  Loop loop;
  FakeArbiter fake(loop);
  int transactions = 0;
  fake.on_message = [&](const Message& message) {
    if (!std::holds_alternative<Transact>(message)) return;
    if (++transactions == 1) return fake.hang_up();
    fake.send(Answer{.id = std::get<Transact>(message).id, .succeeded = true, .revision = 7});
  };
  RemoteArbiter remote(loop, options(fake.port()));
  Result first;
  remote.transact(put_transaction("a", "1"), first.take());
  REQUIRE(run_until(loop, [&] { return first.done.has_value(); }));
  CHECK(first.failed_with("was lost before the answer (it closed the connection): what was asked may have happened"));
  Result second;
  remote.transact(put_transaction("b", "1"), second.take());
  REQUIRE(run_until(loop, [&] { return second.done.has_value(); }));
  CHECK(second.done->value() == TransactionResult{true, {7}, {}});
  CHECK(transactions == 2);
  CHECK(fake.connections() == 2);
}

TEST_CASE("remote arbiter: a silent arbiter is an error in time, and then another connection is tried") {
  Loop loop;
  FakeArbiter fake(loop);
  auto all = options(fake.port(), kShort);
  bool connected = false;
  all.on_state = [&](bool is, const std::string&) { connected = is; };
  RemoteArbiter remote(loop, all);
  REQUIRE(run_until(loop, [&] { return connected; }));
  Result result;
  remote.transact(put_transaction("a", "1"), result.take());
  REQUIRE(run_until(loop, [&] { return result.done.has_value(); }));
  CHECK(result.failed_with("has not answered within 200 ms: what was asked may happen all the same"));
  CHECK(run_until(loop, [&] { return fake.connections() == 2; }));
}

TEST_CASE("remote arbiter: without an arbiter requests wait, and end as not asked") {
  Loop loop;
  int port = 0;
  {
    const FakeArbiter gone(loop);
    port = gone.port();
  }
  std::string states;
  auto all = options(port, kShort);
  all.on_state = [&](bool connected, const std::string& why) { states += (connected ? "yes " : "no ") + why; };
  RemoteArbiter remote(loop, all);
  REQUIRE(run_until(loop, [&] { return !states.empty(); }));
  Result result;
  remote.transact(put_transaction("a", "1"), result.take());
  REQUIRE(run_until(loop, [&] { return result.done.has_value(); }));
  CHECK(result.failed_with("could not be asked within 200 ms: Connection refused"));
  CHECK(states == "no Connection refused");  // once, however often it was tried
}

TEST_CASE("remote arbiter: a watch resumes behind what it was told completely") {
  Loop loop;
  FakeArbiter fake(loop);
  std::vector<std::uint64_t> after;
  fake.on_message = [&](const Message& message) {
    const auto* const watch = std::get_if<Watch>(&message);
    if (watch == nullptr) return;
    after.push_back(watch->after);
    if (after.size() > 1) return fake.send(Changed{.id = watch->id, .revision = 9, .writes = {{"c", "3"}}});
    fake.send(Changed{.id = watch->id, .revision = 5, .writes = {{"a", "1"}}, .more = true});
    fake.send(Changed{.id = watch->id, .revision = 5, .writes = {{"b", {}}}});
    fake.send(Changed{.id = watch->id, .revision = 8, .writes = {{"c", "2"}}, .more = true});
    fake.send(Changed{.id = watch->id + 1, .revision = 8, .writes = {{"x", "2"}}});
    fake.hang_up();
  };
  RemoteArbiter remote(loop, options(fake.port()));
  Told told;
  const auto watch = remote.watch("", {3}, told.on_change());
  REQUIRE(run_until(loop, [&] { return told.revision == Revision{9}; }));
  CHECK(told.text == "a=1 b- c=3 ");
  CHECK(after == std::vector<std::uint64_t>{3, 5});
}

TEST_CASE("remote arbiter: a connection that only watches use is looked after") {
  Loop loop;
  FakeArbiter fake(loop);
  int probes = 0;
  fake.on_message = [&](const Message& message) {
    if (const auto* const read = std::get_if<magpie::wire::arbiter::Read>(&message)) {
      ++probes;
      CHECK(read->keys.empty());  // and it gets no answer
    }
  };
  RemoteArbiter remote(loop, options(fake.port(), kShort));
  CHECK(run_until(loop, [&] { return fake.connections() == 2; }));
  CHECK(probes == 1);
}

TEST_CASE("remote arbiter: answers to nothing are ignored, nonsense ends the connection") {
  Loop loop;
  FakeArbiter fake(loop);
  int asked = 0;
  fake.on_message = [&](const Message& message) {
    const auto& transact = std::get<Transact>(message);
    fake.send(Answer{.id = 99, .succeeded = true, .revision = 1});
    fake.send(Refused{.id = 98, .reason = "what?"});
    if (++asked == 2) return fake.send(magpie::wire::arbiter::Welcome{});
    fake.send(Refused{.id = transact.id, .reason = "not like that"});
  };
  RemoteArbiter remote(loop, options(fake.port()));
  Result result;
  remote.transact(put_transaction("a", "1"), result.take());
  REQUIRE(run_until(loop, [&] { return result.done.has_value(); }));
  CHECK(result.failed_with("not like that"));
  Result other;
  remote.transact(put_transaction("a", "1"), other.take());
  REQUIRE(run_until(loop, [&] { return other.done.has_value(); }));
  CHECK(other.failed_with("it sent a message out of turn"));
}

TEST_CASE("remote arbiter: it may go in any of its callbacks, with its watches before or after it") {
  Loop loop;
  FakeArbiter fake(loop);
  std::uint64_t watch_id = 0;
  fake.on_message = [&](const Message& message) {
    if (const auto* const watch = std::get_if<Watch>(&message)) watch_id = watch->id;
    if (const auto* const transact = std::get_if<Transact>(&message)) {
      fake.send(Answer{.id = transact->id, .succeeded = true, .revision = 1});
      fake.send(Changed{.id = watch_id, .revision = 1, .writes = {{"a", "1"}}});
    }
  };
  for (const bool in_watch : {false, true}) {
    auto remote = std::make_unique<RemoteArbiter>(loop, options(fake.port()));
    int told = 0;
    bool answered = false;
    auto watch = remote->watch("", {0}, [&](const auto&) {
      ++told;
      remote.reset();
    });
    remote->transact(put_transaction("a", "1"), [&](const auto&) {
      answered = true;
      if (!in_watch) remote.reset();
    });
    REQUIRE(run_until(loop, [&] { return remote == nullptr; }));
    CHECK(answered);
    CHECK(told == (in_watch ? 1 : 0));
    watch.reset();
  }
  auto remote = std::make_unique<RemoteArbiter>(loop, options(1));
  remote->transact(put_transaction("a", "1"), [](const auto&) { FAIL("dropped"); });
  remote.reset();
  CHECK(run_until(loop, [turns = 0]() mutable { return ++turns > 5; }));
}
