#include "cluster/arbiter/in_process.h"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace magpie::cluster;  // NOLINT(google-build-using-namespace): all of it is tested

namespace {

/// Tasks run when the test says so.
struct Tasks {
  InProcessArbiter::Post post() {
    return [this](InProcessArbiter::Task task) { tasks.push_back(std::move(task)); };
  }
  void run() {
    while (!tasks.empty()) {
      auto task = std::move(tasks.front());
      tasks.pop_front();
      task();
    }
  }
  std::deque<InProcessArbiter::Task> tasks;
};

Transaction put(const std::string& key, const std::string& value) {
  return {.compares = {}, .writes = {{key, value}}, .reads = {}};
}

struct Told {
  Arbiter::OnChange on_change() {
    return [this](const Arbiter::Change& change) {
      revision = change.revision;
      for (const auto& write : change.writes) text += write.key + (write.value ? "=" + *write.value : "-") + " ";
    };
  }
  Revision revision;
  std::string text;
};

}  // namespace

TEST_CASE("in-process arbiter: answers come later, never inside the call") {
  Tasks tasks;
  InProcessArbiter arbiter(std::make_shared<SharedStore>(), tasks.post());
  int answers = 0;
  arbiter.transact(put("a", "1"), [&](const auto& result) {
    CHECK(result->succeeded);
    CHECK(++answers == 1);
  });
  arbiter.read({"a"}, [&](const auto& result) {
    CHECK(result->entries == std::vector<ArbiterEntry>{{"a", "1", {1}}});
    CHECK(++answers == 2);
  });
  arbiter.transact(put("", "1"), [&](const auto& result) {
    CHECK(result.error().message == "a key without a name");
    CHECK(++answers == 3);
  });
  CHECK(answers == 0);
  tasks.run();
  CHECK(answers == 3);
}

TEST_CASE("in-process arbiter: what is not answered when it goes is dropped") {
  Tasks tasks;
  auto arbiter = std::make_unique<InProcessArbiter>(std::make_shared<SharedStore>(), tasks.post());
  bool answered = false;
  arbiter->read({"a"}, [&](const auto&) { answered = true; });
  arbiter.reset();
  tasks.run();
  CHECK_FALSE(answered);
}

TEST_CASE("in-process arbiter: watches are told in order, of what others change too, until they end") {
  Tasks tasks;
  const auto store = std::make_shared<SharedStore>();
  InProcessArbiter one(store, tasks.post());
  InProcessArbiter other(store, tasks.post());
  const auto ignore = [](const auto&) {};
  one.transact(put("x/a", "1"), ignore);
  Told told;
  Told late;
  auto watch = one.watch("x/", {0}, told.on_change());
  const auto later = one.watch("x/", {1}, late.on_change());
  CHECK(told.text.empty());
  other.transact(put("x/b", "2"), ignore);
  other.transact(put("y", "3"), ignore);
  other.transact({.compares = {}, .writes = {{"x/a", {}}, {"z", "4"}}, .reads = {}}, ignore);
  tasks.run();
  CHECK(told.text == "x/a=1 x/b=2 x/a- ");
  CHECK(told.revision == Revision{4});
  CHECK(late.text == "x/b=2 x/a- ");
  other.transact(put("x/c", "5"), ignore);
  watch.reset();
  tasks.run();
  CHECK(told.text == "x/a=1 x/b=2 x/a- ");
  CHECK(late.text == "x/b=2 x/a- x/c=5 ");
}

TEST_CASE("in-process arbiter: a watch may end itself while it is told") {
  Tasks tasks;
  InProcessArbiter arbiter(std::make_shared<SharedStore>(), tasks.post());
  std::unique_ptr<Arbiter::Watch> watch;
  int told = 0;
  watch = arbiter.watch("", {0}, [&](const auto&) {
    ++told;
    watch.reset();
  });
  for (int i = 0; i < 3; ++i) arbiter.transact(put("a", "1"), [](const auto&) {});
  tasks.run();
  CHECK(told == 1);
}

TEST_CASE("in-process arbiter: of several threads that compare the same revision one wins") {
  const auto store = std::make_shared<SharedStore>();
  constexpr std::uint64_t kRounds = 200;
  constexpr int kThreads = 4;
  std::vector<int> wins(kThreads);
  const auto race = [&](int index) {
    Tasks tasks;
    InProcessArbiter arbiter(store, tasks.post());
    for (std::uint64_t revision = 0; revision < kRounds; ++revision) {
      arbiter.transact({.compares = {{"key", {revision}}}, .writes = {{"key", "x"}}, .reads = {}},
                       [&](const auto& result) { wins[index] += result->succeeded ? 1 : 0; });
      tasks.run();
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int index = 0; index < kThreads; ++index) threads.emplace_back(race, index);
  for (std::thread& thread : threads) thread.join();
  int all = 0;
  for (const int won : wins) all += won;
  CHECK(all == kRounds);
}
