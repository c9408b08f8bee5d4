#include "server/peers/peers.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <random>

#include "server/logging.h"
#include "server/net/sockets.h"
#include "server/state/clock.h"

namespace magpie::server {
namespace {

constexpr std::int64_t kSecondMs = 1000;

template <std::size_t Size>
std::array<std::uint8_t, Size> draw() {
  std::random_device device;
  std::array<std::uint8_t, Size> bytes{};
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(device());
  return bytes;
}

/// The file's content without the line end. If there is none nobody may know the secret, so one is drawn.
std::string read_secret(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string secret{std::istreambuf_iterator<char>(file), {}};
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  if (!secret.empty()) return secret;
  log_warning("cluster-secret-file '" + path + "' cannot be read or is empty: no node can be talked to");
  const auto drawn = draw<wire::kProofBytes>();
  return {reinterpret_cast<const char*>(drawn.data()), drawn.size()};
}

}  // namespace

Peers::Peers(ServerState& state, net::Loop& loop, LoopIndex loop_index)
    : state_(state), loop_(loop), loop_index_(loop_index) {
  identity_.node = state.run_id;
  identity_.incarnation = draw<wire::kIncarnationBytes>();
  if (state_.replication.follows()) role_changed();
}

Peers::~Peers() = default;

wire::Nonce Peers::draw_nonce() { return draw<wire::kNonceBytes>(); }

std::uint64_t Peers::commands_of_loop() const {
  return state_.loops[static_cast<std::size_t>(loop_index_)]->commands_processed;
}

std::int64_t Peers::timeout_ms() const { return state_.config.current()->repl_timeout * kSecondMs; }

std::string Peers::secret_here() const {
  const auto settings = state_.config.current();
  return settings->cluster_secret_file.empty() ? settings->requirepass : read_secret(settings->cluster_secret_file);
}

std::string Peers::secret_there() const {
  const auto settings = state_.config.current();
  return settings->cluster_secret_file.empty() ? settings->masterauth : read_secret(settings->cluster_secret_file);
}

NodePortQuery::Password Peers::leader_password() const {
  const auto settings = state_.config.current();
  return {settings->masteruser, settings->masterauth};
}

std::string Peers::client_address() const {
  const auto settings = state_.config.current();
  const std::int64_t port =
      settings->replica_announce_port != 0 ? settings->replica_announce_port : state_.tcp_port.load();
  return settings->replica_announce_ip + ":" + std::to_string(port);
}

std::string Peers::ip_of(int fd) {
  std::string address = address_of(fd);
  address.resize(address.rfind(':'));
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  return address;
}

std::string Peers::address_of(int fd) { return net::socket_address(fd, net::Side::Peer); }

/// Whoever is not on this machine must know a secret, unless clients need not know one either.
bool Peers::welcome(int fd) const {
  return !state_.config.current()->protected_mode || !secret_here().empty() || net::from_this_machine(fd);
}

void Peers::accept(int fd) {
  if (!welcome(fd)) {
    log_warning("A node at " + address_of(fd) +
                " was turned away: nodes on other machines need a secret; set requirepass here and masterauth there, "
                "or cluster-secret-file on both");
    ::close(fd);
    return;
  }
  followers_.push_back(std::make_unique<FollowerLink>(*this, fd));
}

void Peers::in_next_turn(FollowerLink& link, std::function<void(FollowerLink&)> call) {
  loop_.post([this, at = &link, call = std::move(call)] {
    const auto same = [&](const auto& one) { return one.get() == at; };
    if (std::ranges::any_of(followers_, same)) call(*at);
  });
}

void Peers::sweep() {
  loop_.post([this] { std::erase_if(followers_, [](const auto& one) { return one->ended(); }); });
}

void Peers::drop_followers(const std::string& why) {
  if (followers_.empty()) return;
  log_notice("Replicas of this node have to begin anew: " + why);
  followers_.clear();
}

void Peers::written() {
  state_.replication.sleep_again();
  std::atomic_thread_fence(std::memory_order_seq_cst);  // before the log's end is read
  for (const auto& follower : followers_) follower->pump();
}

void Peers::fail_over(const NodeControl::FailoverOrder& order) {
  failover_.emplace(*this, order);
  follower_confirmed();
}

void Peers::abort_failover(const std::string& why) {
  if (!failover_ || !failover_->may_abort()) return;
  log_warning("FAILOVER was given up: " + why);
  failover_.reset();
}

void Peers::follower_confirmed() {
  if (failover_ && failover_->go_on(wall_clock())) failover_.reset();
}

bool Peers::lead() {
  const engine::Keyspace::Guard all = state_.keyspace.lock(engine::kAllStripes);
  const std::pair<ByteView, ByteView> change{"replicaof", "no one"};
  return state_.config.set({&change, 1}, config::ConfigStore::Caller::Command).has_value();
}

void Peers::follow(const std::string& host, std::int64_t port) {
  const std::string source = host + " " + std::to_string(port);
  const std::pair<ByteView, ByteView> change{"replicaof", source};
  const auto changed = state_.config.set({&change, 1}, config::ConfigStore::Caller::Command);
  if (!changed) log_warning("This node cannot follow " + source + ": " + changed.error());
}

void Peers::tick(Instant now) {
  follower_confirmed();
  for (const auto& follower : followers_) follower->tick(now);
  if (leader_ != nullptr) leader_->tick(now);
  const bool followed = std::ranges::any_of(followers_, [](const auto& one) { return one->follows(); });
  const std::int64_t most_s = state_.config.current()->repl_backlog_ttl;
  if (followed || most_s == 0 || last_followed_ms_ == 0) {
    if (followed) last_followed_ms_ = now.ms;
  } else if (now.ms - last_followed_ms_ > most_s * kSecondMs) {
    last_followed_ms_ = 0;
    state_.replication.drop_log();
  }
}

void Peers::role_changed() {
  leader_.reset();
  Replication& replication = state_.replication;
  const std::optional<Replication::Source> source = replication.source();
  if (!source) {
    log_notice("This node leads");
    return;
  }
  replication.stop_recording();
  log_notice("This node follows " + source->host + ":" + std::to_string(source->port));
  leader_ = std::make_unique<LeaderLink>(*this, *source);
}

}  // namespace magpie::server
