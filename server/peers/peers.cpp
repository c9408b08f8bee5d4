#include "server/peers/peers.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <random>

#include "server/logging.h"
#include "server/net/sockets.h"
#include "server/shard/shard.h"
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

Peers::Peers(ServerState& state, net::Loop& loop, LoopIndex loop_index, Shard* shard)
    : state_(state), loop_(loop), loop_index_(loop_index), sync_turns_(ticks), shard_(shard) {
  if (shard_ != nullptr) {
    identity_ = shard_->identity();
  } else {
    identity_.node = state.run_id;
    identity_.incarnation = draw<wire::kIncarnationBytes>();
  }
  if (state_.replication.follows()) role_changed(state_.replication.tenure());
}

Peers::~Peers() = default;

wire::Nonce Peers::draw_nonce() { return draw<wire::kNonceBytes>(); }

std::uint64_t Peers::commands_of_loop() const {
  return state_.loops[static_cast<std::size_t>(loop_index_)]->commands_processed;
}

std::int64_t Peers::timeout_ms() const { return state_.config.current()->repl_timeout * kSecondMs; }

std::string Peers::secret_of(const config::Settings& settings) {
  return settings.cluster_secret_file.empty() ? settings.requirepass : read_secret(settings.cluster_secret_file);
}

std::string Peers::secret_here() const { return secret_of(*state_.config.current()); }

std::string Peers::secret_there() const {
  const auto settings = state_.config.current();
  if (!settings->cluster_secret_file.empty()) return read_secret(settings->cluster_secret_file);
  return shard_ != nullptr ? settings->requirepass : settings->masterauth;
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

bool Peers::welcome(const config::Settings& settings, int fd) {
  if (!settings.protected_mode || net::from_this_machine(fd) || !secret_of(settings).empty()) return true;
  log_warning("A node at " + address_of(fd) +
              " was turned away: nodes on other machines need a secret; set requirepass here and masterauth there, "
              "or cluster-secret-file on both");
  return false;
}

void Peers::accept(int fd, const std::optional<wire::Hello>& hello) {
  if (!welcome(*state_.config.current(), fd)) {
    ::close(fd);
    return;
  }
  // Whoever has not shown that it knows the secret costs memory, too.
  constexpr std::ptrdiff_t kMostUnproven = 32;
  const auto unproven = std::ranges::count_if(followers_, [](const auto& one) { return !one->follows(); });
  if (unproven >= kMostUnproven) {
    ::close(fd);
    return;
  }
  followers_.push_back(std::make_unique<FollowerLink>(*this, fd));
  if (hello) followers_.back()->begin(*hello);
}

void Peers::in_next_turn(FollowerLink& link, std::function<void(FollowerLink&)> call) {
  loop_.post([this, at = &link, call = std::move(call)] {
    const auto same = [&](const auto& one) { return one.get() == at; };
    if (std::ranges::any_of(followers_, same)) call(*at);
  });
}

void Peers::sync_soon() {
  if (sync_is_due_) return;
  sync_is_due_ = true;
  loop_.post([this] {
    sync_is_due_ = false;
    go_on_with_syncs();
  });
}

void Peers::go_on_with_syncs() {
  const auto piece = [this](std::size_t link) { return followers_[link]->sync_piece(); };
  if (sync_turns_.go_on(followers_.size(), commands_of_loop(), piece)) sync_soon();
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
  if (term_) tell_of_log(wall_clock());
}

/// Of a leader, while it writes.
void Peers::tell_of_log(Instant now) {
  constexpr std::int64_t kTellMs = 20;
  if (!shard_->alone() && now.ms >= told_ms_ && now.ms - told_ms_ < kTellMs) return;
  told_ms_ = now.ms;
  tell_applied();
  if (shard_->alone()) state_.control.replicas_confirmed();
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
  if (term_) tell_applied();
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

void Peers::role_changed(Tenure tenure) {
  if (!tenure.holds()) return;  // another change has come
  leader_.reset();
  state_.control.replicas_confirmed();  // who waits for that waits in vain
  Replication& replication = state_.replication;
  const std::optional<Replication::Source> source = replication.source();
  if (!source) {
    log_notice("This node leads");
    return;
  }
  replication.stop_recording();
  if (source->host.empty()) return;  // a shard's, which will tell
  log_notice("This node follows " + source->host + ":" + std::to_string(source->port));
  const int node_port = shard_leader_ ? shard_leader_->node_port : 0;
  leader_ = std::make_unique<LeaderLink>(*this, *source, node_port);
}

ShardDuties* Peers::duties() const { return shard_; }

std::optional<LeaderSession::Terms::Shard> Peers::leader_terms() const {
  if (!shard_leader_) return std::nullopt;
  return LeaderSession::Terms::Shard{shard_, shard_leader_->member, shard_leader_->term, blank_};
}

void Peers::tell_applied() {
  if (shard_ == nullptr) return;
  const Replication& replication = state_.replication;
  const bool complete = replication.log() != nullptr && !replication.leader().incomplete;
  if (complete) blank_ = false;
  shard_->local_applied(complete ? replication.last() : cluster::LogPosition{}, complete);
}

void Peers::lead_shard(Term term) {
  leader_.reset();
  shard_leader_.reset();
  drop_followers("this node leads another term");
  {
    const engine::Keyspace::Guard all = state_.keyspace.lock(engine::kAllStripes);
    state_.replication.lead(term);
  }
  term_ = term;
  state_.control.replicas_confirmed();  // who waits for another term's waits in vain
  tell_applied();
}

void Peers::follow_in_shard(const ShardLeader& leader) {
  term_.reset();
  leader_.reset();
  drop_followers("this node leads no longer");
  shard_leader_ = leader;
  {
    const engine::Keyspace::Guard all = state_.keyspace.lock(engine::kAllStripes);
    state_.replication.follow({leader.host, leader.client_port});
  }
  state_.control.role_changed();
}

void Peers::discard(const wire::Incarnation& incarnation) {
  leader_.reset();
  drop_followers("the data here is given up");
  identity_.incarnation = incarnation;
  blank_ = true;
  {
    const engine::Keyspace::Guard all = state_.keyspace.lock(engine::kAllStripes);
    state_.replication.forget_log(state_.replication.tenure());
    state_.replication.leader().incomplete = true;
  }
  shard_->discarded();
}

}  // namespace magpie::server
