#pragma once

#include <cstdint>
#include <memory>

#include "server/state/server_state.h"

namespace magpie::server {

class FollowerLink;
class Peers;

/// A leader on its way to hand over to one of its followers. While it exists clients' writes wait. The loop's thread
/// only.
class Failover {
 public:
  Failover(Peers& peers, NodeControl::FailoverOrder order);
  ~Failover();
  Failover(const Failover&) = delete;
  Failover& operator=(const Failover&) = delete;

  /// Looks how far the followers are. True once it is over, well or not.
  bool go_on(Instant now);
  /// ABORT: false once a replica has been asked, which may lead by now.
  bool may_abort() const { return target_ == nullptr; }

 private:
  FollowerLink* candidate(Lsn end) const;
  bool fits(FollowerLink& link) const;
  void ask(FollowerLink& link, Lsn lsn, bool force);
  bool out_of_time();

  Peers& peers_;
  const NodeControl::FailoverOrder order_;
  std::int64_t until_ms_;
  FollowerLink* asked_ = nullptr;  // may be gone
  std::shared_ptr<FollowerStatus> target_;  // of whom was asked
};

}  // namespace magpie::server
