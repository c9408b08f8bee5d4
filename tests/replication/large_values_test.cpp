// Full synchronisation of values that are sent in parts.
#include <doctest/doctest.h>

#include "tests/replication/large_workload.h"
#include "tests/replication/pair.h"

using magpie::testing::check_same;
using magpie::testing::Conversation;
using magpie::testing::LargeWorkload;
using magpie::testing::Member;
using magpie::testing::Random;

TEST_CASE("large values are sent in parts, and are whole although they change meanwhile") {
  constexpr int kElements = 30'000;
  Random random(5);
  Member leader(1);
  Member follower(2);
  const std::string text(300'000, 'x');
  leader.server.run({"SET", "string", text});
  leader.server.run({"SET", "string-with-time", text, "PX", "100000"});
  for (int i = 0; i < kElements; ++i) leader.server.run("RPUSH list element-" + std::to_string(i));
  leader.server.run("COPY list list-with-time");
  leader.server.run("PEXPIRE list-with-time 100000");
  follower.follow();
  Conversation talk(leader, follower);
  std::size_t most = 0;
  for (int turn = 0; !talk.connected(); ++turn) {
    leader.server.run("LSET list " + std::to_string(random.below(kElements)) + " changed");
    leader.server.run("LPUSH list-with-time front");
    leader.server.run("LTRIM list-with-time 0 -3");
    leader.server.run("APPEND string more");
    leader.server.run("SETRANGE string-with-time " + std::to_string(random.below(text.size())) + " y");
    const std::size_t before = talk.leader_pipe().sent.size();
    talk.produce(5000);
    most = std::max(most, talk.leader_pipe().sent.size() - before);
    talk.deliver(8000);
    REQUIRE(turn < 2000);
  }
  CHECK(most < 100'000);
  REQUIRE(talk.settle());
  check_same(leader, follower);
}

TEST_CASE("a large value does not wait for its end while the log runs on") {
  using magpie::engine::Key;
  Member leader(1);
  Member follower(2);
  leader.server.run({"SET", "value", std::string(4'000'000, 'x')});
  for (int i = 0; i < 3000; ++i) leader.server.run({"RPUSH", "list", std::string(1000, 'x')});
  std::string late = "late";  // behind both in the order of the copy
  const auto last = std::max(Key::of("value").stripe, Key::of("list").stripe);
  for (int i = 0; Key::of(late).stripe <= last; ++i) late = "late" + std::to_string(i);
  follower.follow();
  Conversation talk(leader, follower);
  const std::string much(2'000'000, 'y');  // 200 MB meanwhile, far more than the log keeps
  int turns = 0;
  for (; !talk.connected() && talk.error().empty(); ++turns) {
    if (turns < 100) leader.server.run({"SET", late, much});
    talk.produce(64 << 10);
    talk.deliver(1 << 20);
    REQUIRE(turns < 2000);
  }
  CHECK(turns > 100);
  REQUIRE(talk.settle());
  check_same(leader, follower);
}

TEST_CASE("large values are right whatever is done to them between their parts") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Member leader(1);
    Member follower(2);
    LargeWorkload work(leader.server, random);
    work.fill();
    follower.follow();
    Conversation talk(leader, follower);
    for (int turn = 0; turn < 5000 && !talk.connected(); ++turn) {
      if (turn < 1000 && random.one_in(2)) work.step();  // else it might write faster than is sent for ever
      talk.produce(1 + random.below(60'000));
      talk.deliver(200'000);
    }
    REQUIRE(talk.connected());
    REQUIRE(talk.settle());
    check_same(leader, follower);
  }
}
