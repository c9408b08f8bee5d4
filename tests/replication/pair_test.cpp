// A leader and a follower, sessions and all, but for the sockets between them.
#include <doctest/doctest.h>

#include "tests/replication/pair.h"
#include "tests/replication/workload.h"

using magpie::Lsn;
using magpie::testing::check_same;
using magpie::testing::Conversation;
using magpie::testing::Member;
using magpie::testing::Random;
using magpie::testing::Workload;

namespace {

constexpr std::size_t kBytes = 3000;

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
  CHECK(turns > 2500);  // of full synchronisations under way
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

TEST_CASE("a node leads although it had heard of a term, but of nothing that was written in it") {
  Member members[] = {Member(1), Member(2), Member(3)};
  for (std::size_t i = 1; i < 3; ++i) {
    members[i].follow();
    REQUIRE(Conversation(members[0], members[i]).settle());
  }
  members[0].server.run("SET key 1");
  REQUIRE(Conversation(members[0], members[1]).settle());
  members[1].replication().lead();
  {
    Conversation talk(members[1], members[2]);
    for (int turn = 0; turn < 6; ++turn) talk.deliver(100'000);  // the log does not come
    REQUIRE(talk.connected());
  }
  members[2].replication().lead();
  members[2].server.run("SET key 2");
  for (std::size_t i = 0; i < 2; ++i) {
    members[i].follow();
    REQUIRE(Conversation(members[2], members[i]).settle());
    check_same(members[2], members[i]);
  }
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

TEST_CASE("what a peer tells of itself stays on its line") {
  const auto begin = [](Member& leader, Member& follower, const magpie::wire::Message& answer) {
    magpie::ByteBuffer out;
    magpie::server::LeaderSession session(follower.server.keyspace(), follower.replication(), follower.identity, {});
    session.begin(out);
    return session.take(answer, 1, leader.server.now(), out).error();
  };
  Member leader(1);
  Member follower(2);
  const std::string bad = "x\r\nrole:master";
  CHECK(begin(leader, follower, magpie::wire::Refusal{{}, bad}) == "it refuses: x\\x0d\\x0arole:master");
  magpie::ByteBuffer out;
  magpie::wire::Hello hello{.oldest_version = 1, .newest_version = 1};
  hello.purpose = magpie::wire::Purpose::Follow;
  hello.client_address = bad + ":7000";
  magpie::server::FollowerSession session(leader.server.keyspace(), leader.replication(), leader.identity, {});
  REQUIRE(session.take(hello, leader.server.now(), out).has_value());
  CHECK(session.status()->address == "x\\x0d\\x0arole:master");
  CHECK(session.status()->port == 7000);
  hello.cluster = std::string(100'000, 'c');
  magpie::server::FollowerSession other(leader.server.keyspace(), leader.replication(), leader.identity, {});
  const auto refused = other.take(hello, leader.server.now(), out);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().size() < 1000);
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
