#include <doctest/doctest.h>

#include "tests/cluster/replica_stage.h"

using namespace magpie::testing;  // NOLINT(google-build-using-namespace): the stage of these tests
using magpie::Lsn;
using magpie::Term;
using Outcome = ProbeDone::Outcome;

namespace {

/// B follows A, with C in the ISR too.
Stage following(ReplicationMode mode = ReplicationMode::Isr) {
  Stage stage('b', mode);
  stage.shard('a', "abc", 3);
  stage.tell(Started{});
  stage.applied(3, 10);
  stage.heartbeat('a', 3);
  return stage;
}

void answer_pre_vote(Stage& stage, char name, bool heard, std::uint64_t lsn = 10) {
  const auto question = stage.last_message<PreVote>(name);
  REQUIRE(question);
  stage.tell(MessageReceived{PreVoteAnswer{question->round, member(name), heard, true, {Term{3}, Lsn{lsn}}}});
}

}  // namespace

TEST_CASE("a follower answers its leader, and no other") {
  Stage stage = following();
  REQUIRE(stage.last<FollowLeader>() != nullptr);
  CHECK(stage.last<FollowLeader>()->leader == member('a'));
  const auto answer = stage.last_message<HeartbeatAnswer>('a');
  REQUIRE(answer);
  CHECK(answer->position == LogPosition{Term{3}, Lsn{10}});
  CHECK(answer->follower == member('b'));
  stage.did.clear();
  stage.heartbeat('c', 3);
  stage.heartbeat('a', 2);
  CHECK_FALSE(stage.last_message<HeartbeatAnswer>('c'));
  CHECK_FALSE(stage.last_message<HeartbeatAnswer>('a'));
  stage.heartbeat('c', 4);
  CHECK(stage.last_message<HeartbeatAnswer>('c'));
}

TEST_CASE("after G it asks, reads, and leads without the old leader") {
  Stage stage = following();
  stage.pass(799ms);
  CHECK(stage.replica.role() == Replica::Role::Follower);
  stage.pass(1ms);
  CHECK(stage.replica.role() == Replica::Role::Candidate);
  answer_pre_vote(stage, 'c', false);
  stage.pass(100ms);
  REQUIRE(stage.last<BeginTerm>() != nullptr);
  CHECK(stage.last<BeginTerm>()->term == Term{4});
  CHECK(stage.keys.shard()->leader == member('b'));
  CHECK(stage.keys.shard()->isr == std::vector{member('b'), member('c')});
}

TEST_CASE("who has heard of the leader is a veto; who does not answer is none") {
  Stage vetoed = following();
  vetoed.pass(800ms);
  answer_pre_vote(vetoed, 'c', true);
  vetoed.pass(99ms);
  CHECK(vetoed.last<BeginTerm>() == nullptr);
  Stage silent = following();
  silent.pass(900ms);
  CHECK(silent.last<BeginTerm>() != nullptr);
}

TEST_CASE("who has more goes first") {
  Stage stage = following();
  stage.pass(800ms);
  answer_pre_vote(stage, 'c', false, 11);
  stage.pass(150ms);
  CHECK(stage.last<BeginTerm>() == nullptr);
  stage.pass(60ms);
  CHECK(stage.last<BeginTerm>() != nullptr);
}

TEST_CASE("from its transaction on it is silent, until that is settled") {
  Stage stage = following();
  stage.pass(850ms);
  stage.arbiter_answers = false;
  stage.pass(60ms);
  const ReadArbiter read = *stage.last<ReadArbiter>();
  stage.did.clear();
  stage.tell(ArbiterTold{read.request, stage.keys.read(read.keys)});
  REQUIRE(stage.last<TransactArbiter>() != nullptr);
  const Transaction attempt = stage.last<TransactArbiter>()->transaction;
  stage.heartbeat('a', 3);
  CHECK_FALSE(stage.last_message<HeartbeatAnswer>('a'));
  CHECK_FALSE(stage.replica.may_confirm(Term{3}));
  // An error decides nothing, nor does a read that shows no change; it is sent again.
  stage.tell(ArbiterDecided{stage.last<TransactArbiter>()->request, std::unexpected(ArbiterError{"lost"})});
  stage.tell(KeysChanged{});
  stage.tell(ArbiterTold{stage.last<ReadArbiter>()->request, stage.keys.read(read.keys)});
  stage.heartbeat('a', 3);
  CHECK_FALSE(stage.last_message<HeartbeatAnswer>('a'));
  stage.pass(60ms);
  CHECK(stage.last<TransactArbiter>()->transaction == attempt);
  // The leader has changed the ISR: this attempt can never happen any more.
  stage.shard('a', "ab", 3);
  stage.tell(KeysChanged{});
  stage.tell(ArbiterTold{stage.last<ReadArbiter>()->request, stage.keys.read(read.keys)});
  stage.heartbeat('a', 3);
  CHECK(stage.last_message<HeartbeatAnswer>('a'));
}

TEST_CASE("a heartbeat before its transaction ends a campaign") {
  Stage stage = following();
  stage.pass(850ms);
  stage.heartbeat('a', 3);
  CHECK(stage.last_message<HeartbeatAnswer>('a'));
  stage.pass(700ms);
  CHECK(stage.last<BeginTerm>() == nullptr);
}

TEST_CASE("proof of death: the link is closed and a new connection refused, and others find the same") {
  Stage stage = following();
  stage.tell(LinkClosed{node('a')});
  REQUIRE(stage.last<ProbeNode>() != nullptr);
  stage.tell(ProbeDone{stage.last<ProbeNode>()->probe, Outcome::Refused, {}});
  answer_pre_vote(stage, 'c', false);
  CHECK(stage.last<BeginTerm>() != nullptr);
}

TEST_CASE("a leader that still takes connections is not dead, nor is one that says nothing") {
  for (const Outcome outcome : {Outcome::Connected, Outcome::TimedOut}) {
    Stage stage = following();
    stage.tell(LinkClosed{node('a')});
    stage.tell(ProbeDone{stage.last<ProbeNode>()->probe, outcome, member('a').incarnation});
    stage.pass(500ms);
    CHECK_FALSE(stage.last_message<PreVote>('c'));
  }
}

TEST_CASE("another start under its id is a proof, too, if a new connection shows it") {
  Stage stage = following();
  stage.tell(PeerSeen{member('a', 2)});
  REQUIRE(stage.last<ProbeNode>() != nullptr);
  CHECK_FALSE(stage.last_message<PreVote>('c'));
  stage.tell(ProbeDone{stage.last<ProbeNode>()->probe, Outcome::Connected, member('a', 2).incarnation});
  CHECK(stage.last_message<PreVote>('c'));
}

TEST_CASE("asked for a proof, a member makes the same probe") {
  Stage stage = following();
  stage.tell(MessageReceived{PreVote{7, member('c'), Term{3}, CampaignReason::ProofOfDeath}});
  REQUIRE(stage.last<ProbeNode>() != nullptr);
  CHECK_FALSE(stage.last_message<PreVoteAnswer>('c'));
  stage.tell(ProbeDone{stage.last<ProbeNode>()->probe, Outcome::Connected, member('a').incarnation});
  REQUIRE(stage.last_message<PreVoteAnswer>('c'));
  CHECK(stage.last_message<PreVoteAnswer>('c')->heard);
  stage.tell(MessageReceived{PreVote{8, member('c'), Term{3}, CampaignReason::ProofOfDeath}});
  stage.tell(ProbeDone{stage.last<ProbeNode>()->probe, Outcome::Refused, {}});
  CHECK_FALSE(stage.last_message<PreVoteAnswer>('c')->heard);
}

TEST_CASE("told that its leader is stuck, who can read takes over") {
  Stage stage = following();
  stage.heartbeat('a', 3, true);
  stage.did.clear();
  for (int round = 0; round < 12; ++round) {
    stage.heartbeat('a', 3, true);
    stage.pass(100ms);
  }
  CHECK_FALSE(stage.last_message<HeartbeatAnswer>('a'));
  CHECK(stage.last<BeginTerm>() != nullptr);
}

TEST_CASE("told the same without an arbiter, it goes on answering") {
  Stage stage = following();
  stage.arbiter_answers = false;
  for (int round = 0; round < 12; ++round) {
    stage.did.clear();
    stage.heartbeat('a', 3, true);
    CHECK(stage.last_message<HeartbeatAnswer>('a'));
    stage.pass(100ms);
  }
}

TEST_CASE("a replica throws nothing away while it may be needed") {
  Stage stage = following();
  stage.tell(DiscardWanted{});
  for (int round = 0; round < 20; ++round) {
    stage.pass(100ms);
    stage.heartbeat('a', 3);
  }
  CHECK(stage.last<MayDiscard>() == nullptr);
  stage.shard('a', "ac", 3);
  stage.tell(KeysChanged{});
  CHECK(stage.last<MayDiscard>() != nullptr);
}

TEST_CASE("a learner of a sole member takes over after 10 s without a new put") {
  Stage stage('b', ReplicationMode::Async);
  stage.shard('a', "a", 3, "b");
  stage.tell(Started{});
  stage.applied(3, 10);
  stage.pass(9s);
  stage.record('a', 1);
  stage.pass(9s);
  CHECK(stage.last<BeginTerm>() == nullptr);
  stage.pass(3s);
  CHECK(stage.last<BeginTerm>() != nullptr);
  CHECK(stage.keys.shard()->loss_epoch == 1);
}

TEST_CASE("when all are dead, who is left leads after 10 s, if that is allowed") {
  for (const bool restart : {true, false}) {
    ReplicaConfig config = Stage::config('b', ReplicationMode::Isr);
    config.self = member('b', 2);
    config.restart_on_total_loss = restart;
    Stage stage('b');
    stage.replica = Replica(config);
    stage.shard('a', "abc", 3);
    stage.record('a', 2);
    stage.record('b', 2);
    stage.tell(Started{});
    stage.pass(20s);
    CHECK(stage.last<BeginTerm>() == nullptr);  // C may live
    stage.record('c', 2);
    stage.tell(KeysChanged{});
    stage.pass(12s);
    CHECK((stage.last<BeginTerm>() != nullptr) == restart);
  }
}

TEST_CASE("expiry goes by the leader's time if that is later") {
  Stage stage = following();
  CHECK(stage.replica.expiry_time(1'000) == 5'000);
  CHECK(stage.replica.expiry_time(9'000) == 9'000);
}
