#include "server/peers/leader_link.h"

#include <algorithm>

#include "server/logging.h"
#include "server/peers/peers.h"
#include "server/state/clock.h"

namespace magpie::server {
namespace {

using Phase = LeaderStatus::Phase;

constexpr std::int64_t kFirstPauseMs = 100;
constexpr std::int64_t kMostPauseMs = 1000;
constexpr std::int64_t kMostGreetingMs = 5000;  // until the leader has answered

}  // namespace

LeaderLink::LeaderLink(Peers& peers, Replication::Source source, int node_port)
    : peers_(peers),
      source_(std::move(source)),
      node_port_(node_port),
      name_(source_.host + ":" + std::to_string(source_.port)),
      pause_ms_(first_pause_ms()) {
  status().phase = Phase::Connect;
  status().down_since_ms = wall_clock().ms;
  status().set_reason({});
  begin();
}

/// A shard's leader may not know yet that it leads.
std::int64_t LeaderLink::first_pause_ms() const {
  constexpr std::int64_t kInShard = 20;
  return peers_.duties() != nullptr ? kInShard : kFirstPauseMs;
}

LeaderStatus& LeaderLink::status() const { return peers_.state().replication.leader(); }

void LeaderLink::begin() {
  began_ms_ = wall_clock().ms;
  status().phase = Phase::Connecting;
  if (node_port_ != 0) return connect_to_node(node_port_);
  connector_ = std::make_unique<net::Connector>(peers_.loop(), source_.host, static_cast<int>(source_.port),
                                                [this](auto connected) {
                                                  if (!connected) return fail(connected.error().message);
                                                  ask_for_port(*connected);
                                                });
}

void LeaderLink::ask_for_port(int fd) {
  query_ = std::make_unique<NodePortQuery>(peers_.loop(), fd, peers_.leader_password(), [this](auto port) {
    if (!port) return fail(port.error());
    connect_to_node(*port);
  });
}

void LeaderLink::connect_to_node(int port) {
  status().phase = Phase::Handshake;
  connector_ = std::make_unique<net::Connector>(peers_.loop(), source_.host, port, [this, port](auto connected) {
    if (!connected) return fail("its port for nodes, " + std::to_string(port) + ": " + connected.error().message);
    converse(*connected);
  });
}

void LeaderLink::converse(int fd) {
  LinkOwner& owner = *this;
  link_ = std::make_unique<Link>(peers_.loop(), fd, owner);
  ServerState& state = peers_.state();
  session_.emplace(
      state.keyspace, state.replication, peers_.identity(),
      LeaderSession::Terms{peers_.secret_there(), Peers::draw_nonce(), peers_.client_address(), peers_.leader_terms()});
  session_->on_replacing([this] { peers_.drop_followers("the data here is replaced"); });
  session_->on_take_over([this] { return peers_.lead(); });
  session_->begin(link_->out());
  link_->flush();
}

std::expected<void, std::string> LeaderLink::on_message(const wire::Message& message, std::size_t frame) {
  const bool before = session_->connected();
  std::atomic<bool>& executing = peers_.executing();
  executing.store(true, std::memory_order_relaxed);
  auto taken = session_->take(message, frame, wall_clock(), link_->out());
  executing.store(false, std::memory_order_relaxed);
  if (!session_->log_line().empty()) log_notice("Leader " + name_ + ": " + session_->log_line());
  if (taken && !before && session_->connected()) {
    status().down_since_ms = 0;
    status().set_reason({});
    last_reason_.clear();
    pause_ms_ = first_pause_ms();
  }
  if (!taken && peers_.duties() != nullptr) peers_.tell_applied();  // it may have lost what it had
  return taken;
}

void LeaderLink::on_caught_up() {
  peers_.tell_applied();
  session_->confirm(link_->out());
  link_->flush();
  peers_.written();  // who follows this node
  peers_.state().control.replicas_confirmed();  // CLIENT AWAIT
}

void LeaderLink::fail(const std::string& why) {
  if (failed_) return;
  failed_ = true;
  const std::int64_t now = wall_clock().ms;
  if (status().phase == Phase::Connected || status().down_since_ms == 0) status().down_since_ms = now;
  status().phase = Phase::Connect;
  status().set_reason(why);
  if (why != last_reason_) log_warning("Leader " + name_ + ": the link is down: " + why);
  last_reason_ = why;
  next_try_ms_ = now + pause_ms_;
  pause_ms_ = std::min(pause_ms_ * 2, kMostPauseMs);
}

void LeaderLink::drop_attempt() {
  link_.reset();
  session_.reset();
  query_.reset();
  connector_.reset();
  failed_ = false;
}

void LeaderLink::tick(Instant now) {
  if (!failed_) {
    const bool greeted = status().phase >= Phase::Syncing;
    const std::int64_t quiet_since = greeted ? status().heard_ms.load() : std::max(began_ms_, status().heard_ms.load());
    const std::int64_t most = greeted ? peers_.timeout_ms() : std::min(kMostGreetingMs, peers_.timeout_ms());
    if (now.ms - quiet_since > most) fail(greeted ? "nothing was heard from it for long" : "it does not answer");
  }
  if (!failed_ || now.ms < next_try_ms_) return;
  drop_attempt();
  begin();
}

}  // namespace magpie::server
