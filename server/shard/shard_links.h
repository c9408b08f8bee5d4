#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/replication/identity.h"
#include "protocol/wire/messages.h"
#include "server/net/loop.h"
#include "server/replication/node_identity.h"
#include "server/shard/shard_setup.h"

namespace magpie::server {

/// What comes of a shard's links. The loop's thread.
class ShardLinksOwner {
 public:
  virtual void on_peer_message(const cluster::NodeId& from, const wire::Message& message) = 0;
  virtual void on_peer_seen(const cluster::Member& peer) = 0;
  /// An established link was closed by the other side.
  virtual void on_peer_closed(const cluster::NodeId& peer) = 0;
  /// This side is about to close one.
  virtual void on_closing(const cluster::NodeId& peer) = 0;
  /// Somebody wants to follow this node: the socket, owned by the callee, and what was said so far.
  virtual void on_follower(int fd, const wire::Hello& hello) = 0;

 protected:
  ~ShardLinksOwner() = default;
};

/// The connections on which the replicas of a shard send each other heartbeats and questions, apart from the data: one
/// from each node to each other, to say something; what the other says comes on its own one. All on one loop, its
/// thread only.
class ShardLinks {
 public:
  /// `identity` and `secret` are asked anew for each link. The owner outlives it.
  struct Who {
    NodeIdentity identity;
    std::string secret;
  };
  ShardLinks(net::Loop& loop, ShardLinksOwner& owner, std::function<Who()> who, std::vector<cluster::NodeId> peers);
  ~ShardLinks();

  /// Where that node is now; a link to another address ends.
  void set_address(const cluster::NodeId& peer, const NodeAddresses& addresses);
  /// Dropped if there is no link to the node now.
  void send(const cluster::NodeId& to, const wire::Message& message);
  /// Whether there is a link to the node.
  bool linked(const cluster::NodeId& peer) const;
  /// Takes over the socket of a node that has connected.
  void accept(int fd);
  /// All links end, and come again: this node is another incarnation now.
  void restart();
  /// Some times a second: connects, and ends what is not proven in time.
  void tick();

  /// A new connection to the node, which tells who runs there and is closed. Once, not from inside the call.
  struct Probed {
    bool refused = false;
    std::optional<cluster::Incarnation> incarnation;  // nothing: there was no answer in time
  };
  void probe(const cluster::NodeId& node, std::chrono::milliseconds time, std::function<void(const Probed&)> on_done);

 private:
  class Outgoing;
  class Incoming;
  class Probe;
  void sweep();
  bool knows(const std::string& node) const;

  net::Loop& loop_;
  ShardLinksOwner& owner_;
  std::function<Who()> who_;
  std::map<cluster::NodeId, std::unique_ptr<Outgoing>> outgoing_;
  std::vector<std::unique_ptr<Incoming>> incoming_;
  std::vector<std::unique_ptr<Probe>> probes_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what is posted
};

}  // namespace magpie::server
