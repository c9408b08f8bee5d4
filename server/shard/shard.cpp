#include "server/shard/shard.h"

#include <algorithm>
#include <chrono>

#include "server/logging.h"
#include "server/net/sockets.h"
#include "server/peers/peers.h"
#include "server/shard/peer_words.h"
#include "server/unowned_socket.h"

namespace magpie::server {
namespace {

cluster::Incarnation draw_incarnation() {
  cluster::Incarnation incarnation;
  incarnation.bytes = Peers::draw_nonce();
  return incarnation;
}

}  // namespace

Shard::Shard(ServerState& state, net::Loop& loop, ShardSetup setup, ToPeers to_peers)
    : state_(state),
      loop_(loop),
      setup_(std::move(setup)),
      to_peers_(std::move(to_peers)),
      wake_(loop,
            [this] {
              armed_.reset();
              step(cluster::TimerDue{});
            }),
      links_(loop, *this, [this] { return who(); }, others()) {
  setup_.replica.self.incarnation = draw_incarnation();
  identity_ = {setup_.replica.self.node.text, setup_.cluster, setup_.replica.self.incarnation.bytes};
  state_.shard.enable();
  publish_picture();
}

Shard::~Shard() = default;

std::vector<cluster::NodeId> Shard::others() const {
  std::vector<cluster::NodeId> nodes = setup_.replica.nodes;
  std::erase(nodes, setup_.replica.self.node);
  return nodes;
}

ShardLinks::Who Shard::who() const { return {identity_, setup_.secret}; }

cluster::Moment Shard::moment() { return {boot_clock(), wall_clock().ms}; }

std::unique_ptr<cluster::Replica> Shard::make_replica() {
  cluster::ReplicaConfig config = setup_.replica;
  config.node_details = to_text(NodeAddresses{setup_.host, setup_.client_port,
                                              static_cast<int>(state_.node_port.load(std::memory_order_relaxed))});
  return std::make_unique<cluster::Replica>(std::move(config));
}

void Shard::start() {
  if (setup_.client_port == 0) setup_.client_port = static_cast<int>(state_.tcp_port.load());
  arbiter_ = std::make_unique<arbiter::RemoteArbiter>(
      loop_, arbiter::RemoteArbiter::Options{
                 .endpoint = {setup_.arbiter.host, setup_.arbiter.port},
                 .identity = {setup_.cluster, setup_.secret},
                 .node = setup_.replica.self.node.text,
                 .highest_term = [this] { return Term{highest_term_.load()}; },
                 .on_state =
                     [](bool connected, const std::string& why) {
                       if (connected) {
                         log_notice("Shard: the arbiter answers");
                       } else {
                         log_warning("Shard: the arbiter does not answer: " + why);
                       }
                     },
             });
  {
    const std::lock_guard guard(lock_);
    replica_ = make_replica();
  }
  watch_ = arbiter_->watch(setup_.replica.prefix, {}, [this](const auto&) { step(cluster::KeysChanged{}); });
  started_ = true;
  log_notice("Shard: this is node " + identity_.node + " of the cluster '" + setup_.cluster + "'");
  step(cluster::Started{});
}

void Shard::accept(int fd) {
  if (Peers::welcome(*state_.config.current(), fd)) return links_.accept(fd);
  net::close_socket(fd);
}

void Shard::on_follower(int fd, const wire::Hello& hello) {
  to_peers_([socket = UnownedSocket(fd), hello](Peers& peers) mutable { peers.accept(socket.release(), hello); });
}

void Shard::on_peer_message(const cluster::NodeId& from, const wire::Message& message) {
  if (const auto known = from_wire(message, setup_.replica.self.node, from)) step(cluster::MessageReceived{*known});
}

void Shard::tick(bool healthy) {
  if (!started_ || left_) return;
  step(cluster::LoopsChanged{healthy});
  links_.tick();
  publish_picture();
}

void Shard::leave() {
  if (!started_ || left_) return;
  for (const cluster::NodeId& node : others()) step(cluster::LinkClosing{node});
  left_ = true;
  {
    const std::lock_guard guard(lock_);
    state_.shard.publish(ShardGate::Now{});
  }
  wake_.stop();
  watch_.reset();
  arbiter_.reset();
}

void Shard::local_applied(const cluster::LogPosition& position, bool complete) {
  {
    const std::lock_guard guard(lock_);
    if (discarding_) return;
  }
  step(cluster::LocalApplied{position, complete});
}

void Shard::discarded() {
  {
    const std::lock_guard guard(lock_);
    discarding_ = false;
  }
  local_applied({}, false);
}

void Shard::peer_seen(const cluster::Member& peer) { step(cluster::PeerSeen{peer}); }

bool Shard::leader_heard(Term term, const cluster::Member& leader) {
  step(cluster::LeaderHeard{term, leader});
  const std::lock_guard guard(lock_);
  return term == replica_->term();
}

bool Shard::may_confirm(Term term) {
  const std::lock_guard guard(lock_);
  return replica_->may_confirm(term);
}

void Shard::wants_discard() { step(cluster::DiscardWanted{}); }

std::uint64_t Shard::maxmemory() const {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(state_.config.current()->maxmemory, 0));
}

void Shard::follower_applied(const cluster::Member& follower, Term term, const cluster::LogPosition& position,
                             std::uint64_t maxmemory) {
  // What it has is here, too, which the machine may not have been told yet.
  local_applied(state_.replication.last(), true);
  step(cluster::FollowerApplied{follower, term, position, true, has_room(follower.node, maxmemory)});
}

/// Rule R22: a follower that would have to lead with less memory does not join the in-sync replicas.
bool Shard::has_room(const cluster::NodeId& follower, std::uint64_t maxmemory) {
  const std::uint64_t here = this->maxmemory();
  const bool enough = maxmemory == 0 || (here != 0 && maxmemory >= here);
  const std::lock_guard guard(lock_);
  if (enough) {
    short_of_memory_.erase(follower);
  } else if (short_of_memory_.insert(follower).second) {
    log_warning("Shard: " + follower.text + " cannot join the in-sync replicas: its maxmemory of " +
                std::to_string(maxmemory) + " bytes is less than here (" +
                (here == 0 ? std::string("no limit") : std::to_string(here)) + ")");
  }
  return enough;
}

void Shard::step(const cluster::ReplicaEvent& event) {
  bool confirmed = false;
  bool work = false;
  {
    const std::lock_guard guard(lock_);
    if (replica_ == nullptr) return;
    const Lsn commit = state_.shard.commit();
    const bool enough = state_.shard.enough_members();
    step_locked(event);
    confirmed = state_.shard.commit() != commit || state_.shard.enough_members() != enough;
    work = !to_do_.empty() || loop_.in_loop();  // else what is armed is early enough
  }
  if (confirmed) state_.control.replicas_confirmed();
  if (work) have_done();
}

void Shard::step_locked(const cluster::ReplicaEvent& event) {
  const cluster::Moment now = moment();
  for (cluster::ReplicaAction& action : replica_->step(event, now)) {
    if (!std::holds_alternative<cluster::CommitMoved>(action)) to_do_.push_back(std::move(action));
  }
  highest_term_.store(replica_->term().number, std::memory_order_relaxed);
  publish_gate(now);
}

void Shard::publish_gate(const cluster::Moment& now) {
  ShardGate::Now gate;
  gate.leads = replica_->role() == cluster::Replica::Role::Leader;
  if (replica_->may_serve(now.boot)) gate.serve_until = replica_->serve_deadline();
  gate.leader_until = replica_->leader_until();
  gate.enough_members = replica_->enough_members();
  gate.commit = replica_->commit();
  if (gate.leads) {
    for (std::size_t i = 0; i < gate.confirmed.size(); ++i) gate.confirmed[i] = replica_->confirmed_by(i + 1);
  }
  alone_.store(gate.leads && gate.confirmed[0] == Lsn{}, std::memory_order_relaxed);
  if (!left_) state_.shard.publish(gate);
}

void Shard::have_done() {
  if (loop_.in_loop()) {
    work_off();
  } else if (!work_is_posted_.exchange(true)) {
    loop_.post([this] { work_off(); });
  }
}

/// In order: an action may lead to a step, whose actions come behind those that are there.
void Shard::work_off() {
  work_is_posted_.store(false);
  if (working_ || left_) return;
  working_ = true;
  bool changed = false;
  while (true) {
    std::optional<cluster::ReplicaAction> action;
    {
      const std::lock_guard guard(lock_);
      if (to_do_.empty()) break;
      action = std::move(to_do_.front());
      to_do_.pop_front();
    }
    changed = changed || !std::holds_alternative<cluster::SendMessage>(*action);
    std::visit([this](auto& what) { act(what); }, *action);
  }
  working_ = false;
  if (changed) {
    take_addresses();
    publish_picture();
  }
  wake_later();
}

void Shard::wake_later() {
  cluster::BootTime at;
  {
    const std::lock_guard guard(lock_);
    at = replica_->wake_at();
  }
  if (at == cluster::kNever || (armed_ && *armed_ <= at)) return;
  armed_ = at;
  const auto delay = std::chrono::ceil<std::chrono::milliseconds>(at - boot_clock());
  wake_.start_once(std::max(delay, std::chrono::milliseconds(1)));
}

void Shard::publish_picture() {
  ShardPicture picture;
  picture.cluster = setup_.cluster;
  const std::lock_guard guard(lock_);
  for (const cluster::NodeId& id : setup_.replica.nodes) {
    ShardPicture::Node node;
    node.id = id.text;
    node.self = id == setup_.replica.self.node;
    node.alive = node.self || links_.linked(id);
    if (replica_ != nullptr) {
      const NodeAddresses addresses = addresses_of(id);
      node.host = addresses.host;
      node.port = addresses.client_port;
      node.node_port = addresses.node_port;
      const auto leader = replica_->leader();
      node.leads = leader && leader->node == id;
      const auto& state = replica_->view().state();
      const auto same = [&](const cluster::Member& member) { return member.node == id; };
      node.in_isr = state && std::ranges::any_of(state->isr, same);
    }
    picture.nodes.push_back(std::move(node));
  }
  if (replica_ != nullptr) {
    picture.role = static_cast<ShardPicture::Role>(replica_->role());
    picture.term = replica_->term();
    picture.loss_epoch = replica_->loss_epoch();
    for (const cluster::FollowerState& follower : replica_->followers()) {
      const auto found = std::ranges::find(picture.nodes, follower.member.node.text, &ShardPicture::Node::id);
      if (found != picture.nodes.end()) found->confirmed = follower.has.value_or(Lsn{}).bytes;
    }
  }
  state_.shard.publish(std::move(picture));
}

}  // namespace magpie::server
