#pragma once

#include <cstdint>

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

 private:
  FollowerLink* candidate() const;
  bool fits(FollowerLink& link) const;
  void ask(FollowerLink& link, bool force);
  bool out_of_time(Instant now);

  Peers& peers_;
  const NodeControl::FailoverOrder order_;
  std::int64_t until_ms_;
  FollowerLink* asked_ = nullptr;
};

}  // namespace magpie::server
