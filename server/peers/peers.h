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
#include "server/peers/sync_turns.h"
#include "server/replication/node_identity.h"
#include "server/state/server_state.h"

namespace magpie::server {

class Shard;

/// The connections of a node with other nodes, all on one loop. The loop's thread only.
class Peers {
 public:
  /// `loop_index` is the loop's among those of the node; without a shard this is a plain node.
  Peers(ServerState& state, net::Loop& loop, LoopIndex loop_index, Shard* shard);
  ~Peers();

  /// Takes over the socket of a node that has connected, and perhaps said hello.
  void accept(int fd, const std::optional<wire::Hello>& hello = std::nullopt);
  /// Ten times a second.
  void tick(Instant now);
  /// The log has grown.
  void written();
  /// FAILOVER: waits for a follower to have all, and lets it lead. No command that writes is running.
  void fail_over(const NodeControl::FailoverOrder& order);
  void abort_failover(const std::string& why);
  /// The node leads or follows since that tenure began, and no command that began before is running.
  void role_changed(Tenure tenure);

  // --- for the shard ---

  /// This node leads from now on.
  void lead_shard(Term term);
  struct ShardLeader {
    cluster::Member member;
    Term term;
    std::string host;
    int client_port = 0;
    int node_port = 0;
  };
  void follow_in_shard(const ShardLeader& leader);
  /// The data here is of no use, and the node another incarnation.
  void discard(const wire::Incarnation& incarnation);

  // --- for the links and for Failover ---
  const std::vector<std::unique_ptr<FollowerLink>>& followers() const { return followers_; }
  void follow(const std::string& host, std::int64_t port);
  ServerState& state() { return state_; }
  net::Loop& loop() { return loop_; }
  const NodeIdentity& identity() const { return identity_; }
  std::atomic<bool>& executing() { return state_.loops[static_cast<std::size_t>(loop_index_)]->executing; }
  std::int64_t timeout_ms() const;
  /// What this node's peers must know: the file's content, or clients' password.
  static std::string secret_of(const config::Settings& settings);
  /// Whether a node that has connected may say who it is: one on another machine must know a secret, unless clients
  /// need not know one either. Else a line of the log says so, and the caller closes the socket. Any thread.
  static bool welcome(const config::Settings& settings, int fd);
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
  /// In a shard: what a conversation with its leader has to know, or one with a follower.
  std::optional<LeaderSession::Terms::Shard> leader_terms() const;
  ShardDuties* duties() const;
  std::optional<Term> term() const { return term_; }
  /// Tells the shard what is here.
  void tell_applied();
  /// Whoever has ended is freed soon.
  void sweep();
  void drop_followers(const std::string& why);
  /// A follower can be sent more of a full synchronisation.
  void sync_soon();
  /// Calls if the link still is there then.
  void in_next_turn(FollowerLink& link, std::function<void(FollowerLink&)> call);

 private:
  void tell_of_log(Instant now);
  void go_on_with_syncs();
  std::uint64_t commands_of_loop() const;

  ServerState& state_;
  net::Loop& loop_;
  LoopIndex loop_index_;
  NodeIdentity identity_;
  std::vector<std::unique_ptr<FollowerLink>> followers_;
  SyncTurns sync_turns_;
  bool sync_is_due_ = false;
  std::unique_ptr<LeaderLink> leader_;
  std::optional<Failover> failover_;
  std::int64_t last_followed_ms_ = 0;  // when there was a follower
  // In a shard.
  Shard* shard_;
  std::optional<Term> term_;  // that this node leads
  std::optional<ShardLeader> shard_leader_;
  bool blank_ = true;  // the data here may be replaced: it is none that anybody counts on
  std::int64_t told_ms_ = 0;
};

}  // namespace magpie::server
