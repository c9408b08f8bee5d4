#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cluster/replication/replica.h"
#include "server/arbiter/remote_arbiter.h"
#include "server/net/loop.h"
#include "server/net/timer.h"
#include "server/replication/shard_duties.h"
#include "server/shard/shard_links.h"
#include "server/shard/shard_setup.h"
#include "server/state/server_state.h"

namespace magpie::server {

class Peers;

/// A node's part in a static shard: runs the machine of leases and takeovers (cluster/replication/replica.h), with its
/// clocks, timers, links and arbiter, and makes ServerState::shard say what it decides. It lives on the main loop,
/// which no command holds up; what it has to do with the data is posted to the loop of the peers.
class Shard final : public ShardDuties, private ShardLinksOwner {
 public:
  using ToPeers = std::function<void(std::move_only_function<void(Peers&)>)>;

  /// The main thread. `state` and `loop` outlive it; `to_peers` runs a task on the loop of the peers, at any time.
  Shard(ServerState& state, net::Loop& loop, ShardSetup setup, ToPeers to_peers);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // --- the main thread ---

  /// The node listens, at ports that are known now, and its loops run.
  void start();
  /// Another node has connected; takes over the socket.
  void accept(int fd);
  /// Ten times a second; whether every loop makes progress (rule R9).
  void tick(bool healthy);
  /// That node is to lead (rule R11).
  void hand_over(const cluster::NodeId& successor) { step(cluster::HandOver{successor}); }
  /// The node ends: nothing is served from now on, and only then its listeners and links may close (rule R1).
  void leave();

  // --- any thread ---

  const NodeIdentity& identity() const { return identity_; }
  /// What was written last here, and whether nothing is missing before it.
  void local_applied(const cluster::LogPosition& position, bool complete);
  /// It has given up its data, as it was told to.
  void discarded();
  /// Whether this leader has nobody to wait for but itself, so that it is to be told of each write at once.
  bool alone() const { return alone_.load(std::memory_order_relaxed); }

  // ShardDuties
  void peer_seen(const cluster::Member& peer) override;
  bool leader_heard(Term term, const cluster::Member& leader) override;
  bool may_confirm(Term term) override;
  void wants_discard() override;
  std::uint64_t maxmemory() const override;
  void follower_applied(const cluster::Member& follower, Term term, const cluster::LogPosition& position,
                        std::uint64_t maxmemory) override;

 private:
  using Actions = std::deque<cluster::ReplicaAction>;

  // ShardLinksOwner
  void on_peer_message(const cluster::NodeId& from, const wire::Message& message) override;
  void on_peer_seen(const cluster::Member& peer) override { step(cluster::PeerSeen{peer}); }
  void on_peer_closed(const cluster::NodeId& peer) override { step(cluster::LinkClosed{peer}); }
  void on_closing(const cluster::NodeId& peer) override { step(cluster::LinkClosing{peer}); }
  void on_follower(int fd, const wire::Hello& hello) override;

  static cluster::Moment moment();
  std::unique_ptr<cluster::Replica> make_replica();
  ShardLinks::Who who() const;
  std::vector<cluster::NodeId> others() const;

  /// Any thread: tells the machine, and has done what it wants.
  void step(const cluster::ReplicaEvent& event);
  /// The same with the lock held.
  void step_locked(const cluster::ReplicaEvent& event);
  void publish_gate(const cluster::Moment& now);
  bool has_room(const cluster::NodeId& follower, std::uint64_t maxmemory);
  void publish_picture();
  void have_done();
  void work_off();
  void wake_later();
  /// For the answer to something that this machine asked, and no other after it.
  template <class Event>
  void answer(std::uint64_t machine, Event event);

  // shard_actions.cpp
  void act(cluster::SendMessage& action);
  void act(cluster::ReadArbiter& action);
  void act(cluster::TransactArbiter& action);
  void act(cluster::ProbeNode& action);
  void act(cluster::BeginTerm& action);
  void act(cluster::FollowLeader& action);
  void act(cluster::ServingChanged& action);
  void act(cluster::CommitMoved&) {}
  void act(cluster::IsrChanged& action);
  void act(cluster::MayDiscard& action);
  void act(cluster::ExitNode& action);
  void act(cluster::Notice& action);
  void take_addresses();
  NodeAddresses addresses_of(const cluster::NodeId& node) const;

  ServerState& state_;
  net::Loop& loop_;
  ShardSetup setup_;
  ToPeers to_peers_;
  NodeIdentity identity_;

  mutable std::mutex lock_;  // guards the machine, and what it wants done
  std::unique_ptr<cluster::Replica> replica_;
  Actions to_do_;
  std::uint64_t machine_ = 0;  // counts them
  std::set<cluster::NodeId> short_of_memory_;  // followers that may not join
  bool discarding_ = false;    // what is told of the data is of what is given up

  // The main thread's.
  bool started_ = false;
  bool left_ = false;
  bool working_ = false;
  std::optional<cluster::BootTime> armed_;
  net::Timer wake_;
  ShardLinks links_;
  std::unique_ptr<arbiter::RemoteArbiter> arbiter_;
  std::unique_ptr<cluster::Arbiter::Watch> watch_;

  std::atomic<std::uint64_t> highest_term_{0};
  std::atomic<bool> alone_{false};
  std::atomic<bool> work_is_posted_{false};
};

}  // namespace magpie::server
