#pragma once

#include <atomic>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/config/config_store.h"
#include "server/engine/keyspace.h"
#include "server/engine/page_tender.h"
#include "server/listeners.h"
#include "server/logging.h"
#include "server/loop_worker.h"
#include "server/net/loop.h"
#include "server/net/timer.h"
#include "server/shard/shard.h"
#include "server/shutdown_wait.h"
#include "server/state/server_state.h"

namespace magpie::server {

/// How many loops the settings ask for.
unsigned loop_count(const config::Settings& settings);

/// One server process: the keyspace, the loops, the listeners. Made and run by the main thread, whose own loop accepts
/// connections, watches signals, keeps time for the other loops and does nothing else.
class Node final : private NodeControl {
 public:
  /// Throws net::Loop::Unavailable if the system has no room for so many loops.
  explicit Node(config::ConfigStore& config);
  ~Node();

  /// Opens the listeners; the message says which address failed and why.
  std::expected<void, std::string> listen();
  /// Runs until a shutdown is asked for. `on_ready` is called once connections are accepted.
  void run(const std::function<void()>& on_ready);

  ServerState& state() { return state_; }
  unsigned threads() const { return static_cast<unsigned>(workers_.size()); }
  /// The port in use (the kernel's choice if 0 was asked for); 0 without TCP.
  int port() const;

 private:
  void shut_down(const Shutdown& how) override;
  bool abort_shutdown() override;
  void kill_client(ClientId id) override;
  void unblock_client(ClientId id, WaitNumber wait, bool with_error) override;
  void pause_changed() override;
  void replicas_confirmed() override;
  void fail_over(const FailoverOrder& order) override;
  void abort_failover() override;
  void hand_over(const std::string& node) override;
  void role_changed() override;
  void serving_changed() override { pause_changed(); }
  void feed_monitors(const std::string& line) override;
  void log(const std::string& text) override { log_warning(text); }

  using Allowed = std::expected<void, config::ConfigStore::Veto>;
  /// CONFIG SET: a change that the process around the commands must follow, or veto. A loop's thread.
  Allowed follow(const config::Settings& before, const config::Settings& after);
  Allowed may_change_mode(const config::Settings& before, const config::Settings& after) const;
  Allowed move_listeners(const config::Settings& before, const config::Settings& after);
  void accept(int fd);
  void accept_node(int fd);
  bool refuse(int fd, const config::Settings& settings);
  void apply_settings(const config::Settings& settings);
  void configure_replication(const config::Settings& settings);
  void change_role(const config::Settings& settings);
  void after_all_loops(const std::function<void(Peers&)>& call);
  bool loops_make_progress() const;
  std::expected<void, std::string> listen_to_nodes(const config::Settings& settings);
  void on_signal(const std::string& flags);
  void wait_for_replicas();
  void tend_pages();
  void go_on_tending_pages();
  template <class Call>
  void with_connection(ClientId id, Call call);

  config::ConfigStore& config_;
  engine::Keyspace keyspace_;
  ServerState state_;
  ShutdownWait shutdown_wait_{state_};
  engine::PageTender page_tender_{engine::PagePool::instance()};
  net::Loop loop_;
  std::vector<std::unique_ptr<LoopWorker>> workers_;
  std::unique_ptr<Shard> shard_;  // null: a plain node
  Listeners listeners_{loop_, [this](int fd) { accept(fd); }, [this](int fd) { accept_node(fd); }};
  std::unique_ptr<net::SignalWatcher> terminate_;
  std::unique_ptr<net::SignalWatcher> interrupt_;
  std::unique_ptr<net::Timer> ticker_;
  std::unique_ptr<net::Timer> page_timer_;  // active while there is more to tend
  bool running_ = false;  // the loops have been started
  std::atomic<bool> ended_{false};  // loop_ runs nothing more
};

}  // namespace magpie::server
