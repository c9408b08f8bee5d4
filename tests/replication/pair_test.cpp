// A leader and a follower, sessions and all, but for the sockets between them.
#include <doctest/doctest.h>

#include "tests/replication/log_reader.h"
#include "tests/replication/pair.h"
#include "tests/replication/workload.h"

using magpie::Lsn;
using magpie::testing::Conversation;
using magpie::testing::Member;
using magpie::testing::Random;
using magpie::testing::read_log;
using magpie::testing::Workload;

namespace {

constexpr std::size_t kBytes = 3000;

/// Both have the same data, and the same log as far as both keep it.
void check_same(Member& leader, Member& follower) {
  CHECK(leader.digest() == follower.digest());
  const auto ours = leader.replication().log();
  const auto theirs = follower.replication().log();
  REQUIRE(ours != nullptr);
  REQUIRE(theirs != nullptr);
  CHECK(ours->end() == theirs->end());
  const Lsn from = std::max(ours->begin(), theirs->begin());
  CHECK(read_log(*ours, from) == read_log(*theirs, from));
  CHECK(leader.replication().position().id == follower.replication().position().id);
}

}  // namespace

TEST_CASE("a follower gets everything while it changes, and then what changes") {
  std::size_t turns = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Member leader(1);
    Member follower(2);
    Workload(follower.server, random).steps(50);  // to be replaced
    Workload work(leader.server, random);
    work.steps(1500);
    follower.follow();
    Conversation talk(leader, follower);
    for (int turn = 0; turn < 20'000 && !talk.connected(); ++turn) {
      work.steps(random.below(4));
      talk.produce(1 + random.below(kBytes));
      talk.deliver(random.below(kBytes * 2));
      ++turns;
    }
    CHECK(talk.connected());
    CHECK(talk.was_full());
    for (int turn = 0; turn < 300; ++turn) {
      work.steps(random.below(5));
      talk.produce(1 + random.below(kBytes));
      talk.deliver(random.below(kBytes * 2));
    }
    REQUIRE(talk.settle());
    check_same(leader, follower);
    CHECK(leader.replication().confirmed_by(leader.replication().log_end()) == 1);
  }
  CHECK(turns > 3000);  // of full synchronisations under way
}

TEST_CASE("after any loss of the connection the log goes on where the follower is") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Member leader(1);
    Member follower(2);
    Workload work(leader.server, random);
    work.steps(200);
    follower.follow();
    REQUIRE(Conversation(leader, follower).settle());
    for (int loss = 0; loss < 20; ++loss) {
      Conversation talk(leader, follower);
      for (std::uint64_t turn = random.below(30); turn > 0; --turn) {
        work.steps(random.below(5));
        talk.produce(1 + random.below(kBytes));
        talk.deliver(random.below(kBytes));
      }
      CHECK(talk.error().empty());
      CHECK_FALSE(talk.was_full());
      work.steps(random.below(50));
    }
    Conversation talk(leader, follower);
    REQUIRE(talk.settle());
    CHECK_FALSE(talk.was_full());
    check_same(leader, follower);
  }
}

TEST_CASE("a follower that was away for longer than the log goes back gets everything") {
  Random random(1);
  Member leader(1, 4096);
  Member follower(2, 4096);
  Workload work(leader.server, random);
  follower.follow();
  REQUIRE(Conversation(leader, follower).settle());
  const Lsn before = leader.replication().log_end();
  while (leader.replication().log()->begin() <= before) work.step();
  Conversation talk(leader, follower);
  REQUIRE(talk.settle());
  CHECK(talk.was_full());
  check_same(leader, follower);
}

TEST_CASE("a follower that falls behind while it is connected is told to begin anew") {
  Random random(1);
  Member leader(1, 4096);
  Member follower(2, 4096);
  Workload work(leader.server, random);
  follower.follow();
  Conversation talk(leader, follower);
  REQUIRE(talk.settle());
  const Lsn before = leader.replication().log_end();
  while (leader.replication().log()->begin() <= before) work.step();
  CHECK_FALSE(talk.settle());
  CHECK(talk.error() == "fell behind");
}

TEST_CASE("leadership goes round, and each time the others go on without a full synchronisation") {
  Random random(3);
  Member members[] = {Member(1), Member(2), Member(3)};
  Workload(members[0].server, random).steps(500);
  for (std::size_t i = 1; i < 3; ++i) {
    members[i].follow();
    REQUIRE(Conversation(members[0], members[i]).settle());
  }
  std::size_t leader = 0;
  for (int round = 0; round < 12; ++round) {
    CAPTURE(round);
    for (std::size_t i = 0; i < 3; ++i) {
      if (i == leader) continue;
      members[i].follow();
      Conversation talk(members[leader], members[i]);
      Workload(members[leader].server, random).steps(100);
      REQUIRE(talk.settle());
      CHECK_FALSE(talk.was_full());
    }
    // The first one has not heard of the changes since, so the last one takes over.
    const std::size_t next = leader == 2 ? 1 : 2;
    Conversation talk(members[leader], members[next]);
    REQUIRE(talk.settle());
    members[next].replication().lead();
    leader = next;
  }
}

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
    {
      Conversation talk(members[1], members[0]);
      for (int turn = 0; turn < 6; ++turn) talk.deliver(100'000);  // the log does not come
      CHECK_FALSE(talk.was_full());
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

TEST_CASE("a follower of a follower gets the same log") {
  Random random(6);
  Member leader(1);
  Member middle(2);
  Member last(3);
  Workload work(leader.server, random);
  work.steps(500);
  middle.follow();
  last.follow();
  Conversation upper(leader, middle);
  {
    Conversation early(middle, last);
    CHECK_FALSE(early.settle());  // there is nothing to be got yet
  }
  REQUIRE(upper.settle());
  Conversation lower(middle, last);
  for (int turn = 0; turn < 500; ++turn) {
    work.steps(random.below(4));
    for (Conversation* talk : {&upper, &lower}) {
      talk->produce(1 + random.below(kBytes));
      talk->deliver(random.below(kBytes * 2));
    }
  }
  REQUIRE(upper.settle());
  REQUIRE(lower.settle());
  check_same(leader, middle);
  check_same(middle, last);
}

TEST_CASE("a follower hides what has expired and erases it when its leader does") {
  Member leader(1);
  Member follower(2);
  leader.server.run("SET key value PX 100");
  follower.follow();
  Conversation talk(leader, follower);
  REQUIRE(talk.settle());
  follower.server.advance(200);
  CHECK(follower.server.run("GET key") == "$-1\r\n");
  CHECK(follower.server.run("DBSIZE") == ":1\r\n");
  CHECK(leader.server.run("GET key") == "$5\r\nvalue\r\n");
  leader.server.advance(200);
  CHECK(leader.server.run("GET key") == "$-1\r\n");
  REQUIRE(talk.settle());
  CHECK(follower.server.run("DBSIZE") == ":0\r\n");
  check_same(leader, follower);
}

TEST_CASE("who does not know the secret gets nothing, on either side") {
  Member leader(1);
  Member follower(2);
  leader.server.run("SET key value");
  follower.server.run("SET kept 1");
  follower.follow();
  for (const auto& [there, here] : {std::pair{"one", "two"}, std::pair{"", "two"}, std::pair{"one", ""}}) {
    Conversation talk(leader, follower, there, here);
    CHECK_FALSE(talk.settle());
    CHECK(talk.error().find("secret") != std::string::npos);
    CHECK(follower.server.run("GET kept") == "$1\r\n1\r\n");
    CHECK(leader.replication().followers().empty());
  }
  Conversation talk(leader, follower, "both", "both");
  REQUIRE(talk.settle());
  check_same(leader, follower);
}

TEST_CASE("a group that is too large for a record sends followers to a full synchronisation") {
  Member leader(1);
  Member follower(2);
  leader.replication().configure({.always = false, .log_capacity = std::size_t{8} << 20, .most_group = 1000});
  follower.follow();
  Conversation before(leader, follower);
  REQUIRE(before.settle());
  leader.server.run("SET key 1");
  leader.server.run({"MSET", "a", std::string(600, 'a'), "b", std::string(600, 'b')});
  leader.server.run("SET key 2");
  CHECK_FALSE(before.settle());
  CHECK(before.error() == "fell behind");
  Conversation after(leader, follower);
  REQUIRE(after.settle());
  CHECK(after.was_full());
  check_same(leader, follower);
}

TEST_CASE("a node that is to keep its data takes no other") {
  Member empty(1);
  Member former(2);
  former.server.run("SET key value");
  former.follow();
  former.replication().keep_data();
  Conversation talk(empty, former);
  CHECK_FALSE(talk.settle());
  CHECK(talk.error().find("keeps its own") != std::string::npos);
  CHECK(former.server.run("GET key") == "$5\r\nvalue\r\n");
}
