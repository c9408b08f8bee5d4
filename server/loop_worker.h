#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "server/connection.h"
#include "server/dispatcher.h"
#include "server/net/loop.h"
#include "server/net/timer.h"
#include "server/peers/peers.h"
#include "server/read_batch.h"
#include "server/state/clock.h"

namespace magpie::server {

/// One thread with one loop: its connections, its dispatcher, and background work for the stripes it owns. Members
/// belong to the loop's thread unless they say otherwise.
class LoopWorker {
 public:
  LoopWorker(ServerState& server, LoopIndex index, unsigned loops);
  ~LoopWorker();

  /// The main thread.
  void start();
  void stop_and_join();

  /// Any thread: takes over an accepted socket.
  void adopt(int fd);
  /// Any thread: connections adopted and not closed.
  std::size_t connections() const { return connection_count_.load(std::memory_order_relaxed); }
  /// Any thread: runs on the loop.
  void post(net::Loop::Task task) { loop_.post(std::move(task)); }

  /// Any thread, ten times a second: background work and checks. A timer of the loop's own would make every sleep of
  /// the loop one with a time limit, which costs about 0.2 us each.
  void post_tick();

  /// Any thread: a line for the MONITOR clients of this loop. They are served together, once per turn of the loop.
  void queue_monitor_line(ByteView line);

  /// Any thread: replicas have confirmed more; ends the waits of the clients that this is enough for.
  void post_confirmed();

  /// The main thread, before start(): other nodes talk to this loop.
  void host_peers(Shard* shard) {
    hosts_peers_ = true;
    shard_ = shard;
  }
  /// Any thread: when it had time for background work last.
  cluster::BootTime ticked() const { return ticked_.load(std::memory_order_relaxed); }
  /// The loop's thread; only of the loop that hosts them.
  Peers& peers() { return *peers_; }

  Connection* find(ClientId id);
  void end_pause();
  /// Clients whose SHUTDOWN is called off get an error.
  void refuse_shutdowns();

  // --- for connections ---
  net::Loop& loop() { return loop_; }
  LoopState& state() { return state_; }
  Dispatcher& dispatcher() { return dispatcher_; }
  Instant now() { return state_.read_clock(); }
  ReadBatch& reads() { return reads_; }
  /// Takes in the bytes just read to reads(); they are executed when the batch is full, or at the end of this turn.
  void gather(Connection& connection, std::size_t bytes);
  void run_gathered();
  OutputBuffer& shared_output() { return output_; }
  /// Frees the connection once its current call has returned.
  void retire(ClientId id);
  void note_blocked(ClientId id);
  void note_unblocked(ClientId id);
  /// For a client that waits for room: others come first.
  void end_wait_in_next_turn(ClientId id);
  void note_monitor(ClientId id, bool on);

 private:
  class Slice;
  /// How far background work has come with the stripes of this loop.
  struct Round {
    unsigned next = 0;  // where the next slice goes on
    unsigned done = 0;  // before that one after the other, which had no more to do
  };
  template <class Work>
  bool visit_stripes(const Slice& slice, Round& round, Work&& work);
  void take(int fd);
  void tick();
  void go_on_with_background_work();
  /// Checks of connections, expiry, eviction, lazy freeing and compaction for some 50 us; true if there is
  /// more to do.
  bool background_slice(Instant now);
  bool expire(const Slice& slice, Instant now);
  bool check_some_connections(Instant now);
  void send_monitor_lines();
  void end_confirmed_waits();

  ServerState& server_;
  const unsigned loops_;
  LoopState state_;
  ReadBatch reads_;
  OutputBuffer output_;
  net::Loop loop_;
  Dispatcher dispatcher_;
  std::unordered_map<ClientId, std::unique_ptr<Connection>> connections_;
  std::unordered_set<ClientId> blocked_;
  std::atomic<std::size_t> blocked_count_{0};
  std::unordered_set<ClientId> monitors_;
  std::atomic<std::size_t> monitor_count_{0};
  std::mutex monitor_lock_;
  std::string monitor_lines_;  // as replies; guarded by monitor_lock_
  std::atomic<std::size_t> connection_count_{0};
  Round expired_;
  Round compacted_;
  std::size_t next_checked_ = 0;  // bucket of connections_
  unsigned ticks_ = 0;
  bool slice_is_due_ = false;            // the next slice is on its way
  std::uint64_t commands_at_slice_ = 0;  // that this loop had executed when the last slice began
  std::atomic<bool> tick_is_posted_ = false;
  bool hosts_peers_ = false;
  Shard* shard_ = nullptr;
  std::atomic<cluster::BootTime> ticked_{cluster::BootTime{}};
  std::unique_ptr<Peers> peers_;
  std::unique_ptr<net::Timer> timer_;  // active while there is background work left
  std::thread thread_;
};

}  // namespace magpie::server
