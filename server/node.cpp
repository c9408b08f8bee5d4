#include "server/node.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <future>
#include <random>
#include <thread>

#include "protocol/check.h"
#include "server/commands/command_table.h"
#include "server/engine/memory.h"
#include "server/exit_code.h"
#include "server/file_limit.h"
#include "server/net/sockets.h"
#include "server/state/process.h"
#include "server/unowned_socket.h"

namespace magpie::server {
namespace {

constexpr auto kPagePause = std::chrono::milliseconds(1);
constexpr auto kTick = std::chrono::milliseconds(1000 / kTicksPerSecond);

std::string random_hex(std::size_t digits) {
  std::random_device device;
  std::string hex;
  while (hex.size() < digits) hex += "0123456789abcdef"[device() % 16];
  return hex;
}

std::string own_executable() {
  std::error_code failed;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? std::string() : path.string();
}

engine::EvictionPolicy policy_of(config::MaxmemoryPolicy policy) {
  using From = config::MaxmemoryPolicy;
  using To = engine::EvictionPolicy;
  switch (policy) {
    case From::VolatileLru:
      return To::VolatileLru;
    case From::VolatileLfu:
      return To::VolatileLfu;
    case From::VolatileRandom:
      return To::VolatileRandom;
    case From::VolatileTtl:
      return To::VolatileTtl;
    case From::AllKeysLru:
      return To::AllKeysLru;
    case From::AllKeysLfu:
      return To::AllKeysLfu;
    case From::AllKeysRandom:
      return To::AllKeysRandom;
    case From::NoEviction:
      break;
  }
  return To::NoEviction;
}

/// For a connection that is turned away: a reply, if the kernel takes it at once, and the end.
void send_and_close(int fd, ByteView text) {
  [[maybe_unused]] const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::close(fd);
}

/// Whoever asks a second time does not want to wait for commands that still run.
void end_at_next_signal() {
  const auto end = [](int) { _exit(static_cast<int>(ExitCode::Forced)); };
  std::signal(SIGTERM, end);
  std::signal(SIGINT, end);
}

constexpr ByteView kProtectedText =
    "-DENIED Magpie is running in protected mode because protected mode is enabled and no password is set for the "
    "default user. In this mode connections are only accepted from the loopback interface. If you want to connect from "
    "external computers, either set a password with the requirepass option, or set protected-mode to no if the network "
    "is trusted.\r\n";

}  // namespace

unsigned loop_count(const config::Settings& settings) {
  if (settings.threads > 0) return static_cast<unsigned>(settings.threads);
  return std::max(1U, std::thread::hardware_concurrency());
}

Node::Node(config::ConfigStore& config)
    : config_(config),
      keyspace_({static_cast<std::uint32_t>(config.current()->databases), loop_count(*config.current()) > 1}),
      state_(config, keyspace_, *this) {
  const std::shared_ptr<const config::Settings> settings = config.current();
  constexpr std::size_t kRunIdDigits = 40;
  state_.run_id = random_hex(kRunIdDigits);
  state_.start_ms = wall_clock().ms;
  state_.config_file = config.config_file();
  state_.executable = own_executable();
  const unsigned loops = loop_count(*settings);
  for (unsigned i = 0; i < loops; ++i) {
    state_.loops.push_back(std::make_unique<LoopStatistics>(commands::all_commands().size()));
  }
  for (unsigned i = 0; i < loops; ++i) workers_.push_back(std::make_unique<LoopWorker>(state_, LoopIndex{i}, loops));
  apply_settings(*settings);
  if (wants_shard(*settings)) {
    auto setup = read_shard_setup(*settings);
    CHECK(setup.has_value());  // it has been looked at before
    setup->secret = Peers::secret_of(*settings);
    shard_ = std::make_unique<Shard>(state_, loop_, std::move(*setup), [home = workers_.front().get()](auto task) {
      home->post([home, task = std::move(task)]() mutable { task(home->peers()); });
    });
  }
  if (shard_ != nullptr) state_.replication.follow({});  // until it is known who leads
  configure_replication(*settings);
  if (!settings->replicaof_host.empty()) change_role(*settings);
  workers_.front()->host_peers(shard_.get());
  state_.replication.on_recorded([home = workers_.front().get()] { home->post([home] { home->peers().written(); }); });
  config.on_change([this](const auto& before, const auto& after) { return follow(before, after); });
}

Node::~Node() = default;

void Node::apply_settings(const config::Settings& settings) {
  keyspace_.set_eviction({policy_of(settings.maxmemory_policy), static_cast<unsigned>(settings.maxmemory_samples),
                          static_cast<unsigned>(settings.lfu_log_factor),
                          static_cast<unsigned>(settings.lfu_decay_time)});
}

void Node::configure_replication(const config::Settings& settings) {
  state_.replication.configure({.always = settings.repl_backlog_always ||
                                          settings.replication_mode != config::ReplicationMode::Async ||
                                          shard_ != nullptr,
                                .shard = shard_ != nullptr,
                                .log_capacity = static_cast<std::size_t>(settings.repl_backlog_size),
                                .most_group = static_cast<std::size_t>(settings.max_group_bytes)});
}

/// At start, or by REPLICAOF, which holds all stripes.
void Node::change_role(const config::Settings& settings) {
  if (settings.replicaof_host.empty()) {
    state_.replication.lead();
  } else {
    state_.replication.follow({settings.replicaof_host, settings.replicaof_port});
  }
  if (running_) role_changed();  // else the peers will see it
}

void Node::role_changed() {
  after_all_loops([tenure = state_.replication.tenure()](Peers& peers) { peers.role_changed(tenure); });
}

/// Calls on the loop of the peers once no command is running that has begun before.
void Node::after_all_loops(const std::function<void(Peers&)>& call) {
  auto left = std::make_shared<std::atomic<std::size_t>>(workers_.size());
  for (const auto& worker : workers_) {
    worker->post([left, call, home = workers_.front().get()] {
      if (--*left == 0) home->post([call, home] { call(home->peers()); });
    });
  }
}

std::expected<void, std::string> Node::listen() {
  const auto settings = config_.current();
  auto opened = listeners_.open(*settings);
  state_.tcp_port.store(listeners_.port(), std::memory_order_relaxed);
  if (!opened) return opened;
  return listen_to_nodes(*settings);
}

/// At the same addresses as clients.
std::expected<void, std::string> Node::listen_to_nodes(const config::Settings& settings) {
  constexpr int kHighestPort = 65535;
  constexpr int kNodePortDistance = 10'000;
  if (port() == 0 && settings.node_port < 0) return {};  // clients use a unix socket only
  const bool chosen = settings.node_port >= 0;
  int wanted = chosen ? static_cast<int>(settings.node_port) : port() + kNodePortDistance;
  if (settings.port == 0 && !chosen) wanted = 0;
  if (wanted > kHighestPort) wanted = 0;
  auto opened = listeners_.open_for_nodes(settings, wanted);
  if (!opened && !chosen) {
    log_notice("Port " + std::to_string(wanted) +
               " for other nodes is not free, so another one is used (INFO: node_port)");
    opened = listeners_.open_for_nodes(settings, 0);
  }
  if (!opened) return std::unexpected("for other nodes: " + opened.error());
  state_.node_port.store(*opened, std::memory_order_relaxed);
  return {};
}

Node::Allowed Node::follow(const config::Settings& before, const config::Settings& after) {
  if (after.maxclients != before.maxclients) {
    const std::int64_t possible = make_room_for_clients(after.maxclients, threads());
    if (possible < after.maxclients) {
      return std::unexpected(config::ConfigStore::Veto{
          "maxclients", "The operating system is not able to handle the specified number of clients, try with " +
                            std::to_string(possible)});
    }
  }
  if (auto may = may_change_mode(before, after); !may) return may;
  if (after.port != before.port || after.bind != before.bind) {
    if (auto moved = move_listeners(before, after); !moved) return moved;
  }
  apply_settings(after);
  if (after.replicaof_host != before.replicaof_host || after.replicaof_port != before.replicaof_port)
    change_role(after);
  if (after.repl_backlog_always != before.repl_backlog_always || after.repl_backlog_size != before.repl_backlog_size ||
      after.max_group_bytes != before.max_group_bytes || after.replication_mode != before.replication_mode) {
    // In a turn of its own: it takes all locks, of which the command may hold some. With one loop there are no locks,
    // and it must be that loop.
    workers_.front()->post([this] { configure_replication(*config_.current()); });
  }
  set_log_level(after.loglevel);
  return {};
}

/// A shard's machine has its mode from the start, and the mode isr is nothing without one.
Node::Allowed Node::may_change_mode(const config::Settings& before, const config::Settings& after) const {
  if (after.replication_mode == before.replication_mode && after.semi_acks == before.semi_acks) return {};
  if (shard_ != nullptr) {
    return std::unexpected(config::ConfigStore::Veto{"replication-mode", "in a shard the mode is set at start only"});
  }
  if (after.replication_mode != config::ReplicationMode::Isr) return {};
  return std::unexpected(
      config::ConfigStore::Veto{"replication-mode", "isr needs the in-sync replicas of a shard: use semi"});
}

Node::Allowed Node::move_listeners(const config::Settings& before, const config::Settings& after) {
  // What the task holds is its own: nobody waits for it any more once the main loop has ended.
  auto answer = std::make_shared<std::promise<Allowed>>();
  std::future<Allowed> moved = answer->get_future();
  loop_.post([this, answer, before, after] {
    Allowed allowed = listeners_.move(before, after);
    state_.tcp_port.store(listeners_.port(), std::memory_order_relaxed);
    answer->set_value(std::move(allowed));
  });
  while (moved.wait_for(kTick) != std::future_status::ready) {
    if (ended_.load()) return std::unexpected(config::ConfigStore::Veto{"port", "the server is shutting down"});
  }
  return moved.get();
}

int Node::port() const { return static_cast<int>(state_.tcp_port.load(std::memory_order_relaxed)); }

bool Node::refuse(int fd, const config::Settings& settings) {
  std::size_t connected = 0;
  for (const auto& worker : workers_) connected += worker->connections();
  if (connected >= static_cast<std::size_t>(settings.maxclients)) {
    state_.rejected_connections.fetch_add(1, std::memory_order_relaxed);
    send_and_close(fd, "-ERR max number of clients reached\r\n");
    return true;
  }
  if (settings.protected_mode && settings.requirepass.empty() && !net::from_this_machine(fd)) {
    state_.rejected_connections.fetch_add(1, std::memory_order_relaxed);
    send_and_close(fd, kProtectedText);
    return true;
  }
  return false;
}

void Node::accept(int fd) {
  if (refuse(fd, *config_.current())) return;
  const auto least = std::min_element(workers_.begin(), workers_.end(),
                                      [](const auto& a, const auto& b) { return a->connections() < b->connections(); });
  (*least)->adopt(fd);
}

void Node::accept_node(int fd) {
  if (shard_ != nullptr) return shard_->accept(fd);
  LoopWorker* const home = workers_.front().get();
  home->post([home, socket = UnownedSocket(fd)]() mutable { home->peers().accept(socket.release()); });
}

void Node::run(const std::function<void()>& on_ready) {
  terminate_ = std::make_unique<net::SignalWatcher>(loop_, SIGTERM,
                                                    [this] { on_signal(config_.current()->shutdown_on_sigterm); });
  interrupt_ =
      std::make_unique<net::SignalWatcher>(loop_, SIGINT, [this] { on_signal(config_.current()->shutdown_on_sigint); });
  for (page_tender_.begin(); page_tender_.step();) {  // before there is anybody to wait for it
  }
  state_.startup_data = engine::used_memory();
  state_.startup_memory = own_memory();
  running_ = true;
  for (const auto& worker : workers_) worker->start();
  page_timer_ = std::make_unique<net::Timer>(loop_, [this] { go_on_tending_pages(); });
  ticker_ = std::make_unique<net::Timer>(loop_, [this] {
    tend_pages();
    for (const auto& worker : workers_) worker->post_tick();
    if (shard_ != nullptr) shard_->tick(loops_make_progress());
    if (shutdown_wait_.over()) loop_.stop();
  });
  ticker_->start_repeating(kTick);
  engine::PagePool::instance().call_when_low(engine::PageTender::kLow,
                                             [this] { loop_.post([this] { tend_pages(); }); });
  if (shard_ != nullptr) shard_->start();
  on_ready();
  loop_.run();
  ended_.store(true);
  engine::PagePool::instance().call_when_low(0, {});
  terminate_.reset();
  interrupt_.reset();
  end_at_next_signal();
  ticker_.reset();
  page_timer_.reset();
  if (shard_ != nullptr) shard_->leave();
  listeners_.close();
  for (const auto& worker : workers_) worker->stop_and_join();
}

bool Node::loops_make_progress() const {
  const cluster::BootTime now = boot_clock();
  constexpr auto kMost = std::chrono::milliseconds(300);
  const auto executes = [](const auto& loop) { return loop->executing.load(std::memory_order_relaxed); };
  // The others may have to wait for the locks of a command that takes long.
  return std::ranges::any_of(state_.loops, executes) ||
         std::ranges::all_of(workers_, [&](const auto& worker) { return now - worker->ticked() <= kMost; });
}

void Node::tend_pages() {
  page_tender_.begin();
  go_on_tending_pages();
}

/// Apart from what the loops do in the background: on this thread nobody waits. It pauses between the pieces, for a
/// loop may have to wait for the processor that it runs on.
void Node::go_on_tending_pages() {
  const std::uint64_t start = thread_cpu_ns();
  if (!page_tender_.step()) return;
  state_.page_slices.add(thread_cpu_ns() - start);
  page_timer_->start_once(kPagePause);
}
}  // namespace magpie::server
