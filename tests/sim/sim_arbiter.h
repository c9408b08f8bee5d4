#pragma once

#include <expected>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cluster/arbiter/arbiter.h"
#include "tests/sim/network.h"

namespace magpie::sim {

/// The arbiter as replicas see it over a bad network: transactions that happen late, answers that never come.
class SimArbiter {
 public:
  using Read = std::expected<cluster::ReadResult, cluster::ArbiterError>;
  using Decision = std::expected<cluster::TransactionResult, cluster::ArbiterError>;
  using OnRead = std::move_only_function<void(Read)>;
  using OnDecision = std::move_only_function<void(Decision)>;
  /// Told of each change, at once.
  using OnChange = std::function<void()>;

  SimArbiter(Schedule& schedule, Network& network, Random random)
      : schedule_(&schedule), network_(&network), random_(random) {}

  void read(Place from, std::vector<std::string> keys, OnRead on_read);
  void transact(Place from, cluster::Transaction transaction, OnDecision on_decision);
  void watch(OnChange on_change) { watchers_.push_back(std::move(on_change)); }

  /// While positive: transactions happen 0.1 to 1.5 s late; half of the answers get lost.
  int late = 0;
  int deaf = 0;

  /// As it is now.
  const std::string* value(const std::string& key) const;
  /// A write of an operator's.
  void put(const std::string& key, const std::string& value);
  /// It begins anew without what it knew (R26).
  void lose_everything();

 private:
  struct State {
    std::string value;
    cluster::Revision changed;
  };
  std::vector<cluster::ArbiterEntry> entries(const std::vector<std::string>& keys) const;
  bool holds(const cluster::Transaction::Compare& compare) const;
  cluster::TransactionResult apply(const cluster::Transaction& transaction);
  template <class Call, class Answer>
  void serve(Place from, Call call, Answer answer, bool writes);

  Schedule* schedule_;
  Network* network_;
  Random random_;
  std::map<std::string, State> states_;
  cluster::Revision revision_;
  std::vector<OnChange> watchers_;
};

}  // namespace magpie::sim
