#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/net/loop.h"
#include "server/peers/failover.h"
#include "server/peers/follower_link.h"
#include "server/peers/leader_link.h"
#include "server/replication/node_identity.h"
#include "server/state/server_state.h"

namespace magpie::server {

/// The connections of a node with other nodes, all on one loop. The loop's thread only.
class Peers {
 public:
  /// `loop_index` is the loop's among those of the node.
  Peers(ServerState& state, net::Loop& loop, LoopIndex loop_index);
  ~Peers();

  /// Takes over the socket of a node that has connected.
  void accept(int fd);
  /// Ten times a second.
  void tick(Instant now);
  /// The log has grown.
  void written();
  /// FAILOVER: waits for a follower to have all, and lets it lead. No command that writes is running.
  void fail_over(const NodeControl::FailoverOrder& order);
  void abort_failover(const std::string& why);
  /// The node leads or follows since a moment ago, and no command that began before is running.
  void role_changed();

  // --- for the links and for Failover ---
  const std::vector<std::unique_ptr<FollowerLink>>& followers() const { return followers_; }
  void follow(const std::string& host, std::int64_t port);
  ServerState& state() { return state_; }
  net::Loop& loop() { return loop_; }
  const NodeIdentity& identity() const { return identity_; }
  std::uint64_t commands_of_loop() const;
  std::int64_t timeout_ms() const;
  std::string secret_here() const;
  std::string secret_there() const;
  NodePortQuery::Password leader_password() const;
  std::string client_address() const;
  static wire::Nonce draw_nonce();
  static std::string address_of(int fd);
  static std::string ip_of(int fd);
  /// A follower has told something new.
  void follower_confirmed();
  /// The node that was followed hands over.
  bool lead();
  /// Whoever has ended is freed soon.
  void sweep();
  void drop_followers(const std::string& why);
  /// Calls if the link still is there then.
  void in_next_turn(FollowerLink& link, std::function<void(FollowerLink&)> call);

 private:
  bool welcome(int fd) const;

  ServerState& state_;
  net::Loop& loop_;
  LoopIndex loop_index_;
  NodeIdentity identity_;
  std::vector<std::unique_ptr<FollowerLink>> followers_;
  std::unique_ptr<LeaderLink> leader_;
  std::optional<Failover> failover_;
  std::int64_t last_followed_ms_ = 0;  // when there was a follower
};

}  // namespace magpie::server
