#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cluster/replication/boot_time.h"
#include "cluster/replication/position.h"

namespace magpie::server {

/// CLOCK_BOOTTIME, read afresh. Any thread.
cluster::BootTime boot_clock();

/// A static shard as this node knows it. A value.
struct ShardPicture {
  struct Node {
    std::string id;    // its name among nodes
    std::string host;  // where clients find it; empty: not known yet
    int port = 0;
    int node_port = 0;  // for other nodes
    bool self = false;
    bool leads = false;
    bool in_isr = false;
    bool alive = false;  // this node has a link to it, or is it
    std::uint64_t confirmed = 0;  // LSN, as its leader knows it; 0 on others
  };
  enum class Role : std::uint8_t { Starting, Learner, Follower, Candidate, Leader };

  std::string cluster;
  std::vector<Node> nodes;  // in the order of the option shard-nodes, this one too
  Role role = Role::Starting;
  Term term;
  std::uint64_t loss_epoch = 0;  // how often a node led that may lack confirmed writes

  /// Null: nobody is known to lead.
  const Node* leader() const {
    const auto found = std::ranges::find(nodes, true, &Node::leads);
    return found == nodes.end() ? nullptr : &*found;
  }
  const Node* self() const {
    const auto found = std::ranges::find(nodes, true, &Node::self);
    return found == nodes.end() ? nullptr : &*found;
  }
};

/// What commands must know of the shard that this node is in: whether they may run, and what is confirmed. Written by
/// the shard's machine alone (server/shard), under its lock; read by any thread.
class ShardGate {
 public:
  /// Whether the node is in a shard at all. Constant after start.
  bool enabled() const { return enabled_; }
  void enable() { enabled_ = true; }

  /// Whether commands may run here, by this node's lease as leader. Ask after they were received, and again before
  /// replies to writes leave that are not confirmed (rule R19).
  bool may_serve() const {
    return boot_clock().time_since_epoch().count() < serve_until_.load(std::memory_order_acquire);
  }
  /// Whether the node is the leader, be its lease over or not.
  bool leads() const { return leads_.load(std::memory_order_acquire); }
  /// Of a follower: whether its leader was heard of lately.
  bool hears_leader() const {
    return boot_clock().time_since_epoch().count() < leader_until_.load(std::memory_order_acquire);
  }
  /// Enough in-sync replicas for writes in the mode isr.
  bool enough_members() const { return enough_members_.load(std::memory_order_acquire); }

  /// All in-sync replicas have the log up to there. 0 on others than the leader.
  Lsn commit() const { return Lsn{commit_.load(std::memory_order_acquire)}; }
  /// So many in-sync followers have it up to there.
  Lsn confirmed_by(std::int64_t followers) const {
    if (followers <= 0) return Lsn{UINT64_MAX};
    if (followers > static_cast<std::int64_t>(kMostFollowers)) return {};
    return Lsn{confirmed_[static_cast<std::size_t>(followers) - 1].load(std::memory_order_acquire)};
  }

  std::shared_ptr<const ShardPicture> picture() const {
    const std::lock_guard guard(lock_);
    return picture_;
  }

  // --- for the machine ---
  static constexpr std::size_t kMostFollowers = 8;
  struct Now {
    cluster::BootTime serve_until = cluster::kLongAgo;
    cluster::BootTime leader_until = cluster::kLongAgo;
    bool leads = false;
    bool enough_members = false;
    Lsn commit;
    std::array<Lsn, kMostFollowers> confirmed{};
  };
  void publish(const Now& now) {
    leads_.store(now.leads, std::memory_order_release);
    enough_members_.store(now.enough_members, std::memory_order_release);
    for (std::size_t i = 0; i < kMostFollowers; ++i) confirmed_[i].store(now.confirmed[i].bytes);
    commit_.store(now.commit.bytes, std::memory_order_release);
    leader_until_.store(now.leader_until.time_since_epoch().count(), std::memory_order_release);
    serve_until_.store(now.serve_until.time_since_epoch().count(), std::memory_order_release);
  }
  void publish(ShardPicture picture) {
    auto shared = std::make_shared<const ShardPicture>(std::move(picture));
    const std::lock_guard guard(lock_);
    picture_ = std::move(shared);
  }

 private:
  bool enabled_ = false;
  std::atomic<std::int64_t> serve_until_{INT64_MIN};   // nanoseconds of boot_clock()
  std::atomic<std::int64_t> leader_until_{INT64_MIN};  // the same
  std::atomic<bool> leads_{false};
  std::atomic<bool> enough_members_{false};
  std::atomic<std::uint64_t> commit_{0};
  std::array<std::atomic<std::uint64_t>, kMostFollowers> confirmed_{};
  mutable std::mutex lock_;
  std::shared_ptr<const ShardPicture> picture_ = std::make_shared<const ShardPicture>();
};

}  // namespace magpie::server
