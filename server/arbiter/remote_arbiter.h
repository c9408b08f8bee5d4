#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/arbiter/arbiter.h"
#include "cluster/replication/position.h"
#include "server/arbiter/handshake.h"
#include "server/arbiter/limits.h"
#include "server/arbiter/remote_link.h"
#include "server/net/loop.h"

namespace magpie::arbiter {

/// A client of `magpiectl arbiter`. Connects by itself, and again when the connection breaks. A request that was sent
/// on a connection that then breaks ends as an error (its outcome is unknown) and is never sent again; one that could
/// not be sent yet waits for a connection until its time is over. Watches go on with the next connection. Loop's thread
/// only; callbacks may do anything with it, also destroy it.
class RemoteArbiter final : public cluster::Arbiter {
 public:
  struct Options {
    RemoteLink::Endpoint endpoint;
    Identity identity;
    std::string node;  // for the arbiter's log; at most wire::kMostName bytes
    /// The highest term that this node has seen, asked at each connection: an arbiter that knows only lower ones has
    /// lost its data and refuses (rule R26).
    std::function<Term()> highest_term;
    /// For a log: whether the arbiter answers, and if not, why. Told when that changes. May be empty.
    std::function<void(bool connected, const std::string& why)> on_state;
    /// When a request without an answer becomes an error.
    std::chrono::milliseconds request_time = kRequestTime;
  };

  /// The loop outlives it.
  RemoteArbiter(net::Loop& loop, Options options);
  ~RemoteArbiter() override;  // answers not given yet are dropped, and so is what watches would be told

  void read(std::vector<std::string> keys, OnRead on_read) override;
  void transact(cluster::Transaction transaction, OnTransaction on_done) override;
  /// The prefix has at most kMostKeyBytes.
  std::unique_ptr<Watch> watch(std::string prefix, cluster::Revision after, OnChange on_change) override;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace magpie::arbiter
