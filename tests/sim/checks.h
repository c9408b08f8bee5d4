#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/replication/replica.h"
#include "tests/sim/machine.h"

namespace magpie::sim {

/// What must hold at every step, seen from outside and in true time. The first violation counts.
class Checks {
 public:
  Checks(const Schedule& schedule, const SimArbiter& arbiter, cluster::ReplicationMode mode)
      : schedule_(&schedule), arbiter_(&arbiter), mode_(mode) {}

  using Processes = std::vector<std::shared_ptr<Process>>;
  /// After every event; machines that are down have no process.
  void look(const Processes& processes);
  void arbiter_changed();

  void term_begins(Term term, Place place);
  void commit_moved(const Process& leader, Lsn commit);
  void acknowledged(const Process& leader, Term term, Lsn lsn);
  void noticed(cluster::Notice::What what) { noticed_.insert(what); }

  void violated(const std::string& what);
  const std::optional<std::string>& violation() const { return violation_; }
  bool has_noticed(cluster::Notice::What what) const { return noticed_.contains(what); }

  const std::optional<cluster::ShardState>& shard() const { return shard_; }
  /// Some process serves, or did when last looked at.
  bool somebody_serves() const { return serving_; }
  /// Acknowledged writes of every mode count as those of isr do: nothing happens that may lose them.
  void keep_all_acknowledged() { keeps_all_ = true; }
  bool keeps_all() const { return keeps_all_ || mode_ == cluster::ReplicationMode::Isr; }
  /// Called when confirmed writes may have got lost, as the rules allow.
  std::function<void()> on_loss;

  static constexpr const char* kPrefix = "/sim/";
  static std::string shard_key() { return std::string(kPrefix) + "shards/0"; }

 private:
  void check_loss(const cluster::ShardState& next);
  void check_served(const Process& process);
  void check_has_acknowledged(const Process& process);
  bool has(const Process& process, Term term, Lsn lsn) const;

  const Schedule* schedule_;
  const SimArbiter* arbiter_;
  cluster::ReplicationMode mode_;
  const Processes* processes_ = nullptr;
  std::optional<cluster::ShardState> shard_;
  std::map<Term, Place> begun_;
  std::map<Term, Lsn> acknowledged_;
  Term served_;
  bool serving_ = false;
  bool keeps_all_ = false;
  std::set<cluster::Notice::What> noticed_;
  std::optional<std::string> violation_;
};

}  // namespace magpie::sim
