#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/config/config_store.h"
#include "server/engine/keyspace.h"
#include "server/replication/replication.h"
#include "server/state/client_registry.h"
#include "server/state/clock.h"
#include "server/state/command_log.h"
#include "server/state/latency_monitor.h"
#include "server/state/rate_sampler.h"
#include "server/state/shard_gate.h"
#include "server/state/statistics.h"
#include "server/state/totals.h"

namespace magpie::server {

/// What a command may ask of the process around it. Implemented by the node; tests put their own in its place.
class NodeControl {
 public:
  struct Shutdown {
    bool now = false;
    bool force = false;
  };
  virtual void shut_down(const Shutdown& how) = 0;
  /// Takes back a shutdown that has not begun; false if there is none.
  virtual bool abort_shutdown() = 0;
  /// Closes the client's connection, whichever loop it belongs to; soon, not at once.
  virtual void kill_client(ClientId id) = 0;
  /// Ends this wait of the client if it still lasts: it gets what a time-out gives, or an UNBLOCKED error.
  virtual void unblock_client(ClientId id, WaitNumber wait, bool with_error) = 0;
  /// Wakes the clients that wait for the end of a pause.
  virtual void pause_changed() = 0;
  /// Sends a line ("1700000000.123456 [0 127.0.0.1:5000] \"get\" \"k\"") to all MONITOR clients.
  virtual void feed_monitors(const std::string& line) = 0;
  /// FAILOVER, which the command has checked and Replication::begin_failover() has begun.
  struct FailoverOrder {
    std::string host;  // empty: whichever has all first
    std::int64_t port = 0;
    std::optional<std::int64_t> timeout_ms;
    bool force = false;  // after that time, even if it does not have all
  };
  virtual void fail_over(const FailoverOrder&) {}
  virtual void abort_failover() {}
  /// The same in a shard, to that node.
  virtual void hand_over(const std::string&) {}
  /// A follower has confirmed more of the log: clients may wait for that.
  virtual void replicas_confirmed() {}
  /// The node has another role since a moment ago.
  virtual void role_changed() {}
  /// In a shard: clients may be waiting until it serves.
  virtual void serving_changed() {}
  /// Writes a line to the process's log (DEBUG LOG).
  virtual void log(const std::string&) {}

 protected:
  ~NodeControl() = default;
};

/// How often a second each loop looks for background work, of which there may be none.
inline constexpr int kTicksPerSecond = 10;

/// CLIENT PAUSE. Any thread.
struct PauseState {
  std::atomic<std::int64_t> until_ms{0};
  std::atomic<bool> only_writes{false};
  bool active(Instant now) const { return now.ms < until_ms.load(std::memory_order_relaxed); }

  /// A pause under way is neither shortened nor weakened by a second one.
  void begin(Instant until, bool writes_only, Instant now) {
    const std::lock_guard guard(lock_);
    if (active(now)) {
      until.ms = std::max(until.ms, until_ms.load(std::memory_order_relaxed));
      writes_only = writes_only && only_writes.load(std::memory_order_relaxed);
    }
    only_writes.store(writes_only, std::memory_order_relaxed);
    until_ms.store(until.ms, std::memory_order_relaxed);
  }
  void end() {
    const std::lock_guard guard(lock_);
    until_ms.store(0, std::memory_order_relaxed);
  }

 private:
  std::mutex lock_;  // of changes
};

/// What all loops share. Made once at start; members are safe for any thread.
struct ServerState {
  ServerState(config::ConfigStore& config_store, engine::Keyspace& key_space, NodeControl& node)
      : config(config_store), keyspace(key_space), control(node), replication(key_space) {}

  config::ConfigStore& config;
  engine::Keyspace& keyspace;
  NodeControl& control;
  Replication replication;
  ShardGate shard;

  ClientRegistry clients;
  CommandLog slow_commands;
  CommandLog large_requests;
  CommandLog large_replies;
  LatencyMonitor latency;
  ErrorStatistics errors;
  PauseState pause;
  std::atomic<unsigned> monitors{0};
  std::atomic<std::uint64_t> rejected_connections{0};
  std::atomic<std::int64_t> http_logged_ms{0};  // when the log last told of HTTP
  std::atomic<std::int64_t> tcp_port{0};  // in use; 0: none
  std::atomic<std::int64_t> node_port{0};  // the same, for other nodes
  std::vector<std::unique_ptr<LoopStatistics>> loops;  // filled before the loops start
  StatisticsBaseline baseline;
  RateSampler rates;
  engine::SharedDurationHistogram background_slices;  // processor time of each piece of background work on the loops
  engine::SharedDurationHistogram page_slices;  // and of the main thread's work on pages, for which nobody waits

  /// Whether clients may not write: to a replica, or with too few of them.
  bool writes_refused(const config::Settings& settings) const {
    if (replication.follows()) return settings.replica_read_only;
    return settings.min_replicas_to_write > 0 && lacks_replicas(settings);
  }
  bool lacks_replicas(const config::Settings& settings) const;
  /// Whether clients may not read either: the data of a replica is just coming, or a part of it came.
  bool loading() const { return replication.follows() && replication.leader().incomplete; }
  /// Or it has lost its leader, and is not to answer with what it has.
  bool stale(const config::Settings& settings) const {
    return !settings.replica_serve_stale_data && replication.follows() &&
           replication.leader().phase != LeaderStatus::Phase::Connected;
  }
  /// Who must have a write of this client before it is answered.
  static Acks acks_needed(const ClientState& client, const config::Settings& settings);
  /// The same for what it reads from a shard's leader.
  Acks acks_of_reads(const ClientState& client, const config::Settings& settings) const;
  bool confirmed(Lsn lsn, Acks acks) const;
  /// Whether what the wait is for has come.
  bool confirmed(const Blocked& wait) const;
  /// What this thread has recorded since the last call was the client's doing; whoever sends the log is woken. The
  /// client's loop.
  void note_writes(ClientState& client);

  /// CONFIG RESETSTAT: the counters of INFO start anew. Any thread.
  void reset_statistics();

  // Constant after start.
  std::string run_id;  // 40 hex digits
  std::int64_t start_ms = 0;
  std::int64_t startup_data = 0;  // engine::used_memory() when the start was done
  std::int64_t startup_memory = 0;  // memory of the process's own then, with the former
  std::string executable;
  std::string config_file;
};

/// What belongs to one loop. The loop's thread only.
struct LoopState {
  LoopIndex index{};
  LoopStatistics* statistics = nullptr;
  std::shared_ptr<const config::Settings> settings;
  std::uint64_t settings_generation = 0;

  /// What settings say of every command, in few words: whether its time or size is to be noted somewhere.
  struct Watched {
    std::uint64_t slow_ns = 0;
    std::uint64_t large_bytes = 0;
    bool latency_tracking = false;
  };
  Watched watched;
  void use_settings(std::shared_ptr<const config::Settings> current);

  /// The time that commands run at. Tests step a clock by hand.
  std::function<Instant()> clock = wall_clock;
  std::uint64_t clock_read_at = 0;  // ticks() of the last read_clock()
  Instant read_time;  // what it has told: whoever runs next must not run before that
  Instant read_clock() {
    clock_read_at = ticks();
    return read_time = clock();
  }
  /// The next command reads the time anew.
  void forget_clock() { clock_read_at = 0; }
};

}  // namespace magpie::server
