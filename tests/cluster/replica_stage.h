#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/replication/replica.h"

namespace magpie::testing {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): times read as they are meant
using namespace cluster;               // NOLINT(google-build-using-namespace): the namespace under test

inline NodeId node(char name) { return {std::string(1, name)}; }
inline Member member(char name, std::uint8_t incarnation = 1) {
  Member member{node(name), {}};
  member.incarnation.bytes.fill(incarnation);
  return member;
}

/// An arbiter that does what it is told, when it is told.
class Keys {
 public:
  void put(const std::string& key, const std::string& value) {
    ++revision_.number;
    states_[key] = {key, value, revision_};
  }
  ReadResult read(const std::vector<std::string>& keys) const {
    ReadResult result{revision_, {}};
    for (const std::string& key : keys) {
      if (const auto found = states_.find(key); found != states_.end()) result.entries.push_back(found->second);
    }
    return result;
  }
  TransactionResult apply(const Transaction& transaction) {
    bool good = true;
    for (const auto& compare : transaction.compares) {
      const auto found = states_.find(compare.key);
      good &= compare.changed == (found == states_.end() ? Revision{} : found->second.changed);
    }
    if (good) ++revision_.number;
    for (const auto& write : transaction.writes) {
      if (good) states_[write.key] = {write.key, *write.value, revision_};
    }
    return {good, revision_, read(transaction.reads).entries};
  }
  std::optional<ShardState> shard() const {
    const auto found = states_.find("/magpie/static/shards/0");
    return found == states_.end() ? std::nullopt : parse_shard_state(found->second.value);
  }
  void forget() { states_.clear(), revision_ = {}; }

 private:
  std::map<std::string, ArbiterEntry> states_;
  Revision revision_;
};

/// One replica, its time and its arbiter; a test plays everybody else.
class Stage {
 public:
  explicit Stage(char name, ReplicationMode mode = ReplicationMode::Isr) : replica(config(name, mode)) {}

  static ReplicaConfig config(char name, ReplicationMode mode) {
    ReplicaConfig config;
    config.self = member(name);
    config.nodes = {node('a'), node('b'), node('c')};
    config.mode = mode;
    return config;
  }

  /// Tells it, and takes note of what it wants; the arbiter answers at once unless it is silent.
  void tell(const ReplicaEvent& event) {
    ReplicaActions actions = replica.step(event, {now, 1'000});
    for (ReplicaAction& action : actions) did.push_back(action);
    if (!arbiter_answers) return;
    for (const ReplicaAction& action : actions) answer(action);
  }
  void answer(const ReplicaAction& action) {
    if (const auto* read = std::get_if<ReadArbiter>(&action)) tell(ArbiterTold{read->request, keys.read(read->keys)});
    if (const auto* write = std::get_if<TransactArbiter>(&action)) {
      tell(ArbiterDecided{write->request, keys.apply(write->transaction)});
    }
  }
  void pass(std::chrono::nanoseconds time) {
    const BootTime end = now + time;
    while (replica.wake_at() <= end) {
      now = std::max(now, replica.wake_at());
      tell(TimerDue{});
    }
    now = end;
  }

  /// The latest action of that kind since `did` was cleared.
  template <class Action>
  const Action* last() const {
    for (auto action = did.rbegin(); action != did.rend(); ++action) {
      if (const auto* found = std::get_if<Action>(&*action)) return found;
    }
    return nullptr;
  }
  template <class Message>
  std::optional<Message> last_message(char to) const {
    for (auto action = did.rbegin(); action != did.rend(); ++action) {
      const auto* send = std::get_if<SendMessage>(&*action);
      if (send == nullptr || send->to != node(to)) continue;
      if (const auto* message = std::get_if<Message>(&send->message)) return *message;
    }
    return std::nullopt;
  }

  /// The shard as the arbiter has it, each member's record included.
  void shard(char leader, const std::string& isr, std::uint64_t term, const std::string& learners = "") {
    ShardState state;
    state.change = ++changes_;
    state.leader = member(leader);
    for (const char name : isr) state.isr.push_back(member(name));
    for (const char name : learners) state.learners.push_back(member(name));
    keys.put("/magpie/static/shards/0", to_text(state));
    keys.put("/magpie/static/terms/0", to_text(Term{term}));
    for (const char name : {'a', 'b', 'c'}) record(name, 1);
  }
  void record(char name, std::uint8_t incarnation) {
    keys.put(std::string("/magpie/static/nodes/") + name,
             to_text(NodeRecord{member(name, incarnation).incarnation, 1, false, ""}));
  }

  /// As a leader: the data plane has appended the barrier, or more.
  void applied(std::uint64_t term, std::uint64_t lsn) { tell(LocalApplied{{Term{term}, Lsn{lsn}}, true}); }
  /// As a leader: the latest heartbeat to that follower is answered.
  void answered(char name, std::uint64_t term, std::uint64_t lsn, std::uint8_t incarnation = 1) {
    const auto heartbeat = last_message<Heartbeat>(name);
    if (!heartbeat) return;
    tell(MessageReceived{HeartbeatAnswer{
        heartbeat->term, heartbeat->leader, member(name, incarnation), {Term{term}, Lsn{lsn}}, heartbeat->sent}});
  }
  /// As a follower: a heartbeat of that leader arrives.
  void heartbeat(char leader, std::uint64_t term, bool stuck = false) {
    tell(MessageReceived{
        Heartbeat{Term{term}, member(leader), replica.config().self, Lsn{1}, Lsn{1}, 5'000, BootTime{}, stuck}});
  }
  bool serves() const { return replica.may_serve(now); }

  Replica replica;
  Keys keys;
  BootTime now{100s};
  ReplicaActions did;
  bool arbiter_answers = true;

 private:
  std::uint64_t changes_ = 0;
};

}  // namespace magpie::testing
