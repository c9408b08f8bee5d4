#include <doctest/doctest.h>

#include "tests/cluster/replica_stage.h"

using namespace magpie::testing;  // NOLINT(google-build-using-namespace): the stage of these tests
using magpie::Lsn;
using magpie::Term;

namespace {

/// A leads {A, B}, and B has answered the first heartbeat.
Stage leading(ReplicationMode mode = ReplicationMode::Isr) {
  Stage stage('a', mode);
  stage.shard('a', "ab", 3);
  stage.tell(Started{});
  REQUIRE(stage.last<BeginTerm>() != nullptr);
  stage.applied(3, 10);
  stage.answered('b', 3, 10);
  return stage;
}

}  // namespace

TEST_CASE("the first node of all makes the shard and leads it") {
  Stage stage('a');
  stage.tell(Started{});
  stage.pass(200ms);
  REQUIRE(stage.last<BeginTerm>() != nullptr);
  CHECK(stage.last<BeginTerm>()->term == Term{1});
  REQUIRE(stage.keys.shard());
  CHECK(stage.keys.shard()->leader == member('a'));
  CHECK_FALSE(stage.serves());
  stage.applied(1, 1);
  CHECK(stage.serves());
}

TEST_CASE("it serves once the barrier is confirmed, until L after the sending of what was answered last") {
  Stage stage('a');
  stage.shard('a', "ab", 3);
  stage.tell(Started{});
  stage.applied(3, 10);
  CHECK_FALSE(stage.serves());
  const BootTime sent = stage.last_message<Heartbeat>('b')->sent;
  stage.now += 50ms;
  stage.answered('b', 3, 10);
  CHECK(stage.serves());
  CHECK(stage.replica.commit() == Lsn{10});
  CHECK(stage.replica.serve_deadline() == sent + 600ms);
  CHECK(stage.replica.may_serve(sent + 600ms - 1ns));
  CHECK_FALSE(stage.replica.may_serve(sent + 600ms));
}

TEST_CASE("answers of another start, or with a log of another term, count for nothing") {
  Stage stage('a');
  stage.shard('a', "ab", 3);
  stage.tell(Started{});
  stage.applied(3, 10);
  stage.answered('b', 3, 10, 2);
  CHECK_FALSE(stage.serves());
  stage.answered('b', 2, 10);
  CHECK_FALSE(stage.serves());
  CHECK(stage.replica.commit() == Lsn{0});
  stage.answered('b', 3, 10);
  CHECK(stage.serves());
}

TEST_CASE("a record is committed when the whole ISR has it, and commit does not go back") {
  Stage stage = leading();
  stage.applied(3, 20);
  CHECK(stage.replica.commit() == Lsn{10});
  stage.tell(FollowerApplied{member('b'), Term{3}, {Term{3}, Lsn{15}}, true});
  CHECK(stage.replica.commit() == Lsn{15});
  stage.tell(FollowerApplied{member('b'), Term{3}, {Term{3}, Lsn{12}}, true});
  stage.tell(FollowerApplied{member('b'), Term{2}, {Term{3}, Lsn{20}}, true});
  stage.tell(FollowerApplied{member('b', 2), Term{3}, {Term{3}, Lsn{20}}, true});
  CHECK(stage.replica.commit() == Lsn{15});
  CHECK_FALSE(stage.replica.confirmed(Lsn{20}, ReplicationMode::Isr));
  CHECK(stage.replica.confirmed(Lsn{15}, ReplicationMode::Isr));
}

TEST_CASE("an answer counts for the lease though an acknowledgement on another connection was ahead of it") {
  Stage stage = leading();
  stage.pass(500ms);
  stage.applied(3, 20);
  stage.tell(FollowerApplied{member('b'), Term{3}, {Term{3}, Lsn{20}}, true});
  stage.answered('b', 3, 10);
  stage.now += 200ms;
  CHECK(stage.serves());
}

TEST_CASE("a node that is not of the shard has no say") {
  Stage stage = leading();
  stage.tell(FollowerApplied{member('x'), Term{3}, {Term{3}, Lsn{20}}, true});
  stage.pass(100ms);
  CHECK_FALSE(stage.last_message<Heartbeat>('x'));
}

TEST_CASE("a member that answers no more goes at age L; until that is settled nothing is served") {
  Stage stage = leading();
  stage.pass(599ms);
  CHECK(stage.serves());
  stage.arbiter_answers = false;
  stage.pass(1ms);
  CHECK_FALSE(stage.serves());
  REQUIRE(stage.last<TransactArbiter>() != nullptr);
  const TransactArbiter first = *stage.last<TransactArbiter>();
  stage.pass(300ms);
  // No answer: the same is asked again (R3).
  const TransactArbiter second = *stage.last<TransactArbiter>();
  CHECK(second.request != first.request);
  CHECK(second.transaction.compares == first.transaction.compares);
  CHECK_FALSE(stage.serves());
  stage.keys.apply(first.transaction);
  stage.tell(ArbiterDecided{second.request, stage.keys.apply(second.transaction)});
  CHECK(stage.serves());
  CHECK(stage.keys.shard()->isr == std::vector{member('a')});
  CHECK(stage.keys.shard()->learners == std::vector{member('b')});
}

TEST_CASE("who is to join must confirm from the moment on at which that is sent") {
  Stage stage = leading();
  stage.arbiter_answers = false;
  stage.tell(FollowerApplied{member('c'), Term{3}, {Term{3}, Lsn{9}}, true});
  stage.pass(100ms);
  stage.answered('b', 3, 10);
  stage.did.clear();
  stage.answered('c', 3, 9);
  CHECK(stage.last<TransactArbiter>() == nullptr);  // it lacks what is committed
  stage.pass(100ms);
  stage.answered('b', 3, 10);
  stage.answered('c', 3, 10);
  REQUIRE(stage.last<TransactArbiter>() != nullptr);
  stage.applied(3, 20);
  stage.tell(FollowerApplied{member('b'), Term{3}, {Term{3}, Lsn{20}}, true});
  CHECK(stage.replica.commit() == Lsn{10});
  stage.tell(FollowerApplied{member('c'), Term{3}, {Term{3}, Lsn{20}}, true});
  CHECK(stage.replica.commit() == Lsn{20});
}

TEST_CASE("who has less memory than the leader does not join, until it has as much") {
  Stage stage = leading();
  stage.pass(100ms);
  stage.answered('b', 3, 10);
  const auto follows = [&](bool has_room) {
    stage.did.clear();
    stage.tell(FollowerApplied{member('c'), Term{3}, {Term{3}, Lsn{10}}, true, has_room});
    stage.pass(100ms);
    stage.answered('b', 3, 10);
    stage.answered('c', 3, 10);
    return stage.last<TransactArbiter>() != nullptr;
  };
  CHECK_FALSE(follows(false));
  CHECK(follows(true));
}

TEST_CASE("before it closes a link to a member, that member's answers are void") {
  Stage stage = leading();
  CHECK(stage.serves());
  stage.tell(LinkClosing{node('b')});
  CHECK_FALSE(stage.serves());
}

TEST_CASE("with a stuck loop it sends no heartbeats") {
  Stage stage = leading();
  stage.tell(LoopsChanged{false});
  stage.did.clear();
  stage.pass(300ms);
  CHECK_FALSE(stage.last_message<Heartbeat>('b'));
  stage.tell(LoopsChanged{true});
  stage.pass(100ms);
  CHECK(stage.last_message<Heartbeat>('b'));
}

TEST_CASE("semi counts members only") {
  Stage stage = leading(ReplicationMode::Semi);
  stage.applied(3, 20);
  stage.tell(FollowerApplied{member('c'), Term{3}, {Term{3}, Lsn{20}}, true});
  CHECK_FALSE(stage.replica.confirmed(Lsn{20}, ReplicationMode::Semi));
  stage.tell(FollowerApplied{member('b'), Term{3}, {Term{3}, Lsn{20}}, true});
  CHECK(stage.replica.confirmed(Lsn{20}, ReplicationMode::Semi));
  CHECK_FALSE(stage.replica.confirmed(Lsn{20}, ReplicationMode::Semi, 2));
  const auto followers = stage.replica.followers();
  REQUIRE(followers.size() == 2);
  CHECK(followers[0].member == member('b'));
  CHECK(followers[0].in_isr);
  CHECK(followers[0].has == Lsn{20});
  CHECK_FALSE(followers[1].in_isr);
}

TEST_CASE("a node that sees its id taken ends") {
  Stage stage = leading();
  stage.record('a', 9);
  stage.tell(KeysChanged{});
  CHECK(stage.last<ExitNode>() != nullptr);
  CHECK_FALSE(stage.serves());
}

TEST_CASE("it hands over when all is confirmed, and serves nothing meanwhile") {
  Stage stage = leading();
  stage.applied(3, 20);
  stage.did.clear();
  stage.tell(HandOver{node('b')});
  CHECK_FALSE(stage.serves());
  CHECK(stage.last<TransactArbiter>() == nullptr);
  stage.tell(FollowerApplied{member('b'), Term{3}, {Term{3}, Lsn{20}}, true});
  REQUIRE(stage.keys.shard());
  CHECK(stage.keys.shard()->leader == member('b'));
  CHECK(stage.keys.shard()->isr.size() == 2);
  REQUIRE(stage.last<FollowLeader>() != nullptr);
  CHECK(stage.last<FollowLeader>()->term == Term{4});
}

TEST_CASE("what cannot be drained is not handed over") {
  Stage stage = leading();
  stage.applied(3, 20);
  stage.tell(HandOver{node('b')});
  for (int round = 0; round < 6; ++round) {
    stage.pass(100ms);
    stage.answered('b', 3, 10);
  }
  CHECK(stage.keys.shard()->leader == member('a'));
  REQUIRE(stage.last<Notice>() != nullptr);
  CHECK(stage.last<Notice>()->what == Notice::What::HandOverFailed);
}

TEST_CASE(
    "a sole member that may be replaced stops 6 s after its last put that is known, and resumes by a transaction") {
  Stage stage('a', ReplicationMode::Async);
  stage.shard('a', "ab", 3);
  stage.tell(Started{});
  stage.applied(3, 10);
  stage.answered('b', 3, 10);
  stage.pass(10s);
  CHECK(stage.keys.shard()->isr.size() == 1);
  CHECK(stage.serves());
  stage.arbiter_answers = false;
  stage.pass(3'900ms);
  CHECK(stage.serves());
  stage.pass(2'200ms);
  CHECK_FALSE(stage.serves());
  // A put that is answered only now shows nothing any more.
  stage.did.clear();
  stage.arbiter_answers = true;
  stage.pass(1s);
  CHECK(stage.serves());
  CHECK(stage.keys.shard()->change > 2);
}

TEST_CASE("after an arbiter has lost a term membership stays as it is") {
  Stage stage = leading();
  stage.keys.forget();
  stage.tell(KeysChanged{});
  REQUIRE(stage.last<Notice>() != nullptr);
  CHECK(stage.last<Notice>()->what == Notice::What::ArbiterFromPast);
  stage.did.clear();
  stage.pass(3s);
  CHECK(stage.last<TransactArbiter>() == nullptr);
}
