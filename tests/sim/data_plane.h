#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cluster/replication/identity.h"
#include "cluster/replication/term_history.h"
#include "tests/sim/operation.h"
#include "tests/sim/schedule.h"

namespace magpie::sim {

/// A link between the data planes of two nodes, as one of them names it.
struct LinkId {
  std::uint64_t number = 0;
  friend auto operator<=>(LinkId, LinkId) = default;
};

/// What data planes send each other; only they know what is in it.
class DataMessage {
 public:
  virtual ~DataMessage() = default;
};
using DataMessagePtr = std::shared_ptr<const DataMessage>;

/// What a data plane asks of the node that it is in.
class DataHost {
 public:
  virtual ~DataHost() = default;
  virtual const cluster::Member& self() const = 0;
  virtual void send(LinkId link, DataMessagePtr message) = 0;
  virtual void close(LinkId link) = 0;
  virtual void later(nanoseconds delay, Task task) = 0;
  virtual std::uint64_t random_below(std::uint64_t bound) = 0;
  /// A valid frame of that leader; false if it is of an old one, then the frame is refused.
  virtual bool leader_heard(Term term, const cluster::Member& leader) = 0;
  virtual bool may_confirm(Term term) = 0;
  virtual void applied() = 0;  // position, or completeness, has changed
  virtual void follower_applied(const cluster::Member& follower, Term term, const cluster::LogPosition& position,
                                bool complete) = 0;
  virtual void wants_discard() = 0;
  /// For whoever reads the trace.
  virtual void note(const std::string& line) = 0;
};

/// The data of one replica, its log, and how that reaches other replicas (R12 to R17). The simulation drives it through
/// this and nothing else, so that it can be a model or the production code.
class DataPlane {
 public:
  virtual ~DataPlane() = default;

  virtual cluster::LogPosition position() const = 0;
  virtual bool complete() const = 0;
  virtual const cluster::TermHistory& history() const = 0;

  /// Leads from now on.
  virtual void begin_term(Term term) = 0;
  /// Leads no longer.
  virtual void end_term() = 0;
  virtual bool leads() const = 0;
  struct Executed {
    Lsn lsn;  // what the reply may reveal reaches up to there
    Value value = 0;
    std::vector<Value> list = {};
  };
  virtual Executed execute(const Operation& operation) = 0;

  /// The link to the leader is there, opened by this node.
  virtual void connected(LinkId link, const cluster::Member& leader, Term term) = 0;
  virtual void received(LinkId link, const DataMessagePtr& message) = 0;
  virtual void closed(LinkId link) = 0;

  /// For the checks: what a client would see here.
  virtual Value look(std::size_t key) const = 0;
  virtual const std::vector<Value>& look_list(std::size_t key) const = 0;
};

}  // namespace magpie::sim
