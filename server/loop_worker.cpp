#include "server/loop_worker.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "server/commands/session.h"
#include "server/commands/transaction.h"
#include "server/engine/memory.h"
#include "server/limits.h"
#include "server/memory_limit.h"
#include "server/unowned_socket.h"

namespace magpie::server {
namespace {

constexpr auto kBusyTick = std::chrono::milliseconds(1);
constexpr unsigned kTicksPerCheck = kTicksPerSecond;
// A slice is to take at most 100 us: it looks at the clock after each step, and a step takes 20 us, seldom more.
constexpr std::uint64_t kSliceNs = 50'000;
constexpr std::size_t kKeysPerStep = 4;
constexpr std::size_t kBucketsPerStep = 100;  // whose heats are swept

bool is_unix_socket(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  return getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 && address.ss_family == AF_UNIX;
}

}  // namespace

LoopWorker::LoopWorker(ServerState& server, LoopIndex index, unsigned loops)
    : server_(server), loops_(loops), dispatcher_(server, state_) {
  state_.index = index;
  state_.statistics = server.loops[static_cast<std::size_t>(index)].get();
  state_.settings_generation = server.config.generation();
  state_.use_settings(server.config.current());
  state_.clock = [&server] { return std::max(wall_clock(), Instant{server.replication.leader_time_ms()}); };
}

LoopWorker::~LoopWorker() = default;

void LoopWorker::start() {
  thread_ = std::thread([this] {
    timer_ = std::make_unique<net::Timer>(loop_, [this] { go_on_with_background_work(); });
    loop_.after_each_poll([this] { run_gathered(); });
    if (hosts_peers_) peers_ = std::make_unique<Peers>(server_, loop_, state_.index, shard_);
    loop_.run();
    connections_.clear();
    peers_.reset();
    timer_.reset();
  });
}

void LoopWorker::stop_and_join() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

void LoopWorker::adopt(int fd) {
  connection_count_.fetch_add(1, std::memory_order_relaxed);
  loop_.post([this, socket = UnownedSocket(fd)]() mutable { take(socket.release()); });
}

void LoopWorker::take(int fd) {
  dispatcher_.refresh_settings();  // a password may have been set since this loop last looked
  auto client = std::make_shared<ClientState>(server_.clients.next_id(), state_.index);
  const Instant now = wall_clock();
  client->fd = fd;
  client->created_ms = now.ms;
  client->last_activity_ms = now.ms;
  client->unix_socket = is_unix_socket(fd);
  client->authenticated = state_.settings->requirepass.empty();
  auto connection = std::make_unique<Connection>(*this, fd, client);
  server_.clients.add(client);
  state_.statistics->connections_received.add(1);
  connections_.emplace(client->id, std::move(connection));
}

Connection* LoopWorker::find(ClientId id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

void LoopWorker::retire(ClientId id) {
  loop_.post([this, id] {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    ClientState& client = found->second->client();
    reads_.forget(*found->second);
    commands::stop_monitoring(server_, client);
    commands::discard_transaction(server_.keyspace, client);
    connections_.erase(found);
    note_unblocked(id);
    note_monitor(id, false);
    server_.clients.remove(id);
    state_.statistics->connections_closed.add(1);
    connection_count_.fetch_sub(1, std::memory_order_relaxed);
  });
}

void LoopWorker::gather(Connection& connection, std::size_t bytes) {
  reads_.add(connection, bytes, dispatcher_);
  if (reads_.full()) run_gathered();
}

void LoopWorker::run_gathered() {
  if (reads_.empty()) return;
  state_.read_clock();
  reads_.run(dispatcher_, state_);
}

void LoopWorker::end_wait_in_next_turn(ClientId id) {
  loop_.post([this, id] {
    Connection* const connection = find(id);
    if (connection != nullptr) connection->end_wait(false);
  });
}

void LoopWorker::note_blocked(ClientId id) {
  blocked_.insert(id);
  blocked_count_.store(blocked_.size());
  // What it waits for may have been confirmed before it was counted.
  loop_.post([this, id] {
    Connection* const connection = find(id);
    if (connection == nullptr || !connection->client().blocked) return;
    if (server_.confirmed(*connection->client().blocked)) connection->end_wait(false);
  });
}

void LoopWorker::note_unblocked(ClientId id) {
  blocked_.erase(id);
  blocked_count_.store(blocked_.size());
}

void LoopWorker::post_confirmed() {
  if (blocked_count_.load() > 0) loop_.post([this] { end_confirmed_waits(); });
}

void LoopWorker::end_confirmed_waits() {
  const auto waiting = blocked_;
  for (const ClientId id : waiting) {
    Connection* const connection = find(id);
    if (connection == nullptr || !connection->client().blocked) continue;
    if (server_.confirmed(*connection->client().blocked)) connection->end_wait(false);
  }
}

void LoopWorker::note_monitor(ClientId id, bool on) {
  if (on) {
    monitors_.insert(id);
  } else {
    monitors_.erase(id);
  }
  monitor_count_.store(monitors_.size(), std::memory_order_relaxed);
}

void LoopWorker::queue_monitor_line(ByteView line) {
  // On the loop itself a client may have become a monitor a moment ago, and not be in the list yet.
  if (monitor_count_.load(std::memory_order_relaxed) == 0 && !loop_.in_loop()) return;
  const std::lock_guard guard(monitor_lock_);
  if (monitor_lines_.size() > kMonitorBacklog) return;  // this loop does not keep up: its monitors will be closed
  if (monitor_lines_.empty()) loop_.post([this] { send_monitor_lines(); });
  monitor_lines_ += '+';
  monitor_lines_ += line;
  monitor_lines_ += "\r\n";
}

void LoopWorker::send_monitor_lines() {
  std::string lines;
  {
    const std::lock_guard guard(monitor_lock_);
    lines.swap(monitor_lines_);
  }
  OutputBuffer bytes;
  for (const ClientId id : monitors_) {
    Connection* connection = find(id);
    if (connection == nullptr) continue;
    bytes.clear();
    bytes.own().append(lines);
    connection->send_unasked(bytes);
  }
}

void LoopWorker::end_pause() {
  const auto waiting = blocked_;
  for (const ClientId id : waiting) {
    Connection* connection = find(id);
    if (connection != nullptr && connection->client().blocked &&
        (connection->client().blocked->kind == Blocked::Kind::Pause ||
         connection->client().blocked->kind == Blocked::Kind::Lease)) {
      connection->end_wait(false);
    }
  }
}

void LoopWorker::refuse_shutdowns() {
  const auto waiting = blocked_;
  for (const ClientId id : waiting) {
    if (Connection* const connection = find(id)) connection->refuse_shutdown();
  }
}

void LoopWorker::post_tick() {
  if (tick_is_posted_.exchange(true, std::memory_order_acq_rel)) return;  // it does not keep up
  loop_.post([this] {
    tick_is_posted_.store(false, std::memory_order_release);
    tick();
  });
}

void LoopWorker::tick() {
  dispatcher_.refresh_settings();
  const Instant now = wall_clock();
  ticked_.store(boot_clock(), std::memory_order_relaxed);
  if (state_.index == LoopIndex{0}) {
    const Totals totals = totals_since_start(server_.loops);
    server_.rates.sample(now, {totals.commands_processed, totals.net_input_bytes, totals.net_output_bytes});
  }
  if (peers_ != nullptr) peers_->tick(now);
  if (++ticks_ % kTicksPerCheck == 0) next_checked_ = 0;
  if (!slice_is_due_) go_on_with_background_work();
}

/// While clients keep the loop busy a slice comes every millisecond, else with every turn of the loop: a few commands
/// wait for a slice at most.
void LoopWorker::go_on_with_background_work() {
  constexpr std::uint64_t kFewCommands = 64;
  const std::uint64_t commands = state_.statistics->commands_processed;
  const bool busy = commands - commands_at_slice_ >= kFewCommands;
  commands_at_slice_ = commands;
  slice_is_due_ = background_slice(wall_clock());
  if (!slice_is_due_) return;
  if (busy) {
    timer_->start_once(kBusyTick);
  } else {
    loop_.post([this] { go_on_with_background_work(); });
  }
}

/// The time that a background slice may still take.
class LoopWorker::Slice {
 public:
  bool spent() const { return ticks_to_ns(ticks() - start_) > kSliceNs; }
  /// Works as long as there is more to do and time, once at least; true if there is more.
  template <class Work>
  bool run(Work&& work) const {
    while (work()) {
      if (spent()) return true;
    }
    return false;
  }

 private:
  std::uint64_t start_ = ticks();
};

/// Goes through the stripes of this loop, each as long as `work` says that there is more and the slice lasts; the next
/// slice goes on with the stripe behind, so that a busy one does not starve the others. True if there may be more: not
/// once all stripes, in however many slices, had no more one after the other.
template <class Work>
bool LoopWorker::visit_stripes(const Slice& slice, Round& round, Work&& work) {
  const auto first = static_cast<unsigned>(state_.index);
  const unsigned owned = first < engine::kStripes ? (engine::kStripes - first + loops_ - 1) / loops_ : 0;
  while (round.done < owned) {
    const engine::StripeIndex stripe = engine::stripe_at(first + round.next * loops_);
    round.next = (round.next + 1) % owned;
    if (slice.run([&] { return work(stripe); })) {
      round.done = 0;
      return true;
    }
    ++round.done;
    if (slice.spent() && round.done < owned) return true;
  }
  round.done = 0;
  return false;
}

/// True if there may be more.
bool LoopWorker::expire(const Slice& slice, Instant now) {
  const std::uint64_t start = ticks();
  const bool more = visit_stripes(slice, expired_, [&](engine::StripeIndex stripe) {
    return server_.keyspace.expire_some(stripe, now, kKeysPerStep) >= kKeysPerStep;
  });
  const std::uint64_t ns = ns_between(start, ticks());
  state_.statistics->expire_cycle_ns.add(ns);
  server_.latency.add_if_long("expire-cycle", ns, state_.settings->latency_monitor_threshold, now);
  return more;
}

bool LoopWorker::background_slice(Instant now) {
  const std::uint64_t start = thread_cpu_ns();
  engine::note_peak();
  engine::Keyspace& keyspace = server_.keyspace;
  const Slice slice;
  const auto evict = [&] {
    const auto free = static_cast<std::size_t>(headroom(state_.settings->maxmemory));
    return make_room(server_, *state_.settings, now, free, kKeysPerStep) == engine::Keyspace::Room::NotYet;
  };
  const auto compact = [&](engine::StripeIndex stripe) { return keyspace.compact_some(stripe, kKeysPerStep); };
  // CLIENT PAUSE and FAILOVER stop changes from inside as well; a replica makes none.
  const bool paused = server_.pause.active(now) || server_.replication.follows() ||
                      server_.replication.failover() != Replication::Failover::None ||
                      (server_.shard.enabled() && !server_.shard.may_serve());
  const bool more = slice.run([&] { return check_some_connections(now); }) ||
                    (!paused && (expire(slice, now) || slice.run(evict))) ||
                    slice.run([&] { return keyspace.free_some(kKeysPerStep) > 0; }) ||
                    slice.run([&] { return keyspace.sweep_heats(now, kBucketsPerStep); }) ||
                    visit_stripes(slice, compacted_, compact);
  server_.background_slices.add(thread_cpu_ns() - start);
  if (EffectLog::take_recorded() != Lsn{}) server_.replication.announce();
  return more;
}

/// Once a second all of them, some buckets of their table at a time; those that move meanwhile wait for the next time.
bool LoopWorker::check_some_connections(Instant now) {
  constexpr std::size_t kBucketsPerCheck = 16;
  const std::size_t end = std::min(connections_.bucket_count(), next_checked_ + kBucketsPerCheck);
  for (; next_checked_ < end; ++next_checked_) {
    for (auto at = connections_.begin(next_checked_); at != connections_.end(next_checked_); ++at) {
      at->second->check_limits(now);
    }
  }
  return next_checked_ < connections_.bucket_count();
}

}  // namespace magpie::server
