// Nodes whose log has an end that their leader's has not.
#include <doctest/doctest.h>

#include "tests/replication/pair.h"
#include "tests/replication/workload.h"

using magpie::testing::check_same;
using magpie::testing::Conversation;
using magpie::testing::Member;
using magpie::testing::Random;
using magpie::testing::Workload;
using More = magpie::server::FollowerSession::More;

namespace {

constexpr std::size_t kBytes = 3000;

/// The first one has led and written keys that the second one, which leads now, has not got.
struct Parted {
  /// That many keys, which have values of so many bytes at the new leader.
  Parted(int count, std::size_t bytes) : keys(count) {
    second.follow();
    REQUIRE(Conversation(first, second).settle());
    for (int i = 0; i < keys; ++i) first.server.run({"SET", key(i), "lost"});
    second.replication().lead();
    for (int i = 0; i < keys; ++i) second.server.run({"SET", key(i), std::string(bytes, 'v')});
    first.follow();
  }
  static std::string key(int number) { return "key" + std::to_string(number); }
  /// Until the leader sends states; how many bytes of them there are already.
  void greet(Conversation& talk) {
    while (!talk.leader_side().syncing()) talk.deliver(std::size_t{1} << 20);
    REQUIRE_FALSE(talk.was_full());
  }

  Member first{1, std::size_t{64} << 20};
  Member second{2, std::size_t{64} << 20};
  int keys;
};

}  // namespace

TEST_CASE("a leader with changes that nobody got gives them up when it follows, and fetches just these keys") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Member first(1);
    Member second(2);
    Workload::Shape shape;
    shape.whole_databases = false;
    Workload work(first.server, random, shape);
    work.steps(300);
    second.follow();
    REQUIRE(Conversation(first, second).settle());
    work.steps(1 + random.below(60));
    first.server.run("SET only-here 1");
    second.replication().lead();
    Workload other(second.server, random, shape);
    other.steps(random.below(200));
    second.server.run("SET only-there 2");
    first.follow();
    for (std::uint64_t loss = random.below(4); loss > 0; --loss) {  // the connection may break meanwhile
      Conversation talk(second, first);
      for (std::uint64_t turn = random.below(20); turn > 0; --turn) {
        other.step();
        talk.produce(1 + random.below(kBytes));
        talk.deliver(random.below(kBytes));
      }
      CHECK(talk.error().empty());
      CHECK_FALSE(talk.was_full());
    }
    Conversation talk(second, first);
    for (int turn = 0; turn < 50; ++turn) {
      other.steps(random.below(3));
      talk.produce(1 + random.below(kBytes));
      talk.deliver(random.below(kBytes));
    }
    REQUIRE(talk.settle());
    CHECK_FALSE(talk.was_full());
    check_same(second, first);
    CHECK(first.server.run("GET only-here") == "$-1\r\n");
    CHECK_FALSE(first.replication().leader().incomplete);
  }
}

TEST_CASE("a repair that another leader interrupts is not taken for that one's log") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Member members[] = {Member(1), Member(2), Member(3)};
    Workload::Shape shape;
    shape.whole_databases = false;
    shape.keys = 30;
    Workload(members[0].server, random, shape).steps(200);
    for (std::size_t i = 1; i < 3; ++i) {
      members[i].follow();
      REQUIRE(Conversation(members[0], members[i]).settle());
    }
    Workload(members[0].server, random, shape).steps(40);  // nobody gets it
    members[1].replication().lead();
    members[2].follow();
    {
      Conversation talk(members[1], members[2]);
      REQUIRE(talk.settle());
      Workload(members[1].server, random, shape).steps(40);  // nor this, but as the state of keys
    }
    members[0].follow();
    const auto before = members[0].digest();
    {
      Conversation talk(members[1], members[0]);
      for (int turn = 0; turn < 3; ++turn) talk.deliver(100'000);
      while (talk.leader_side().syncing()) talk.produce(100'000);
      for (int turn = 0; turn < 3; ++turn) talk.deliver(100'000);  // the log does not come
      CHECK_FALSE(talk.was_full());
      CHECK(members[0].digest() == before);  // so nothing has happened yet
    }
    members[2].replication().lead();
    Workload(members[2].server, random, shape).steps(60);
    for (int attempt = 0; attempt < 2; ++attempt) {
      Conversation talk(members[2], members[0]);
      if (talk.settle()) break;
      REQUIRE(attempt == 0);
    }
    check_same(members[2], members[0]);
  }
}

TEST_CASE("a node whose log parts from its leader's by more than keys gets everything") {
  for (const bool before : {true, false}) {
    Random random(4);
    Member first(1);
    Member second(2);
    Workload(first.server, random).steps(300);
    second.follow();
    REQUIRE(Conversation(first, second).settle());
    first.server.run(before ? "FLUSHDB" : "SET only-here 1");
    second.replication().lead();
    second.server.run(before ? "SET only-there 1" : "SWAPDB 0 1");
    first.follow();
    Conversation talk(second, first);
    REQUIRE(talk.settle());
    CHECK(talk.was_full());
    check_same(second, first);
    CHECK(first.server.run("GET only-here") == "$-1\r\n");
  }
}

TEST_CASE("the keys of a repair are read in pieces, and are right although they change meanwhile") {
  constexpr std::size_t kMost = 20'000;
  constexpr int kCount = 2000;
  Random random(7);
  Parted pair(kCount, 500);
  Member& leader = pair.second;
  for (int i = 0; i < 20; ++i) leader.server.run({"SET", Parted::key(i * 90), std::string(100'000, 'l')});
  for (int i = 0; i < 5000; ++i) leader.server.run({"RPUSH", "list", "element" + std::to_string(i)});
  leader.server.run("RENAME list " + Parted::key(50));
  Conversation talk(leader, pair.first);
  pair.greet(talk);
  int pieces = 0;
  for (; talk.leader_side().syncing(); ++pieces) {
    for (int i = 0; i < 40; ++i) {
      const std::string key = Parted::key(static_cast<int>(random.below(kCount)));
      leader.server.run({"APPEND", key, "more"});
      leader.server.run({"LPUSH", key, "front"});
      if (random.one_in(20)) leader.server.run({"DEL", key});
      if (random.one_in(10))
        leader.server.run({"MSET", key, "1", Parted::key(static_cast<int>(random.below(kCount))), "2"});
    }
    const std::size_t before = talk.leader_pipe().sent.size();
    talk.produce(kMost);
    CHECK(talk.leader_pipe().sent.size() - before < kMost + 1000);
    talk.deliver(100'000);
  }
  CHECK(pieces > 100);
  REQUIRE(talk.settle());
  CHECK_FALSE(talk.was_full());
  check_same(leader, pair.first);
  CHECK_FALSE(pair.first.replication().leader().incomplete);
}

TEST_CASE("a repair does not run ahead of the node that takes it") {
  constexpr std::size_t kWindow = std::size_t{8} << 20;
  Parted pair(2000, 10'000);
  Conversation talk(pair.second, pair.first);
  pair.greet(talk);
  while (talk.produce(256 << 10) == More::Yes) {
  }
  CHECK(talk.leader_pipe().sent.size() > kWindow);
  CHECK(talk.leader_pipe().sent.size() < kWindow + (std::size_t{1} << 20));
  REQUIRE(talk.settle());
  CHECK_FALSE(talk.was_full());
  check_same(pair.second, pair.first);
}

TEST_CASE("a change of whole databases in the middle of a repair ends in a full synchronisation") {
  for (const char* change : {"FLUSHDB", "SWAPDB 0 1"}) {
    Parted pair(2000, 500);
    Conversation talk(pair.second, pair.first);
    pair.greet(talk);
    for (int i = 0; i < 10; ++i) talk.produce(10'000);
    REQUIRE(talk.leader_side().syncing());
    pair.second.server.run(change);
    REQUIRE(talk.settle());
    CHECK(talk.was_full());
    check_same(pair.second, pair.first);
  }
}
