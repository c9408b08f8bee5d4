#include "server/shard/shard_links.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "protocol/printable.h"
#include "server/logging.h"
#include "server/net/connector.h"
#include "server/net/sockets.h"
#include "server/net/timer.h"
#include "server/peers/link.h"
#include "server/peers/peers.h"
#include "server/state/shard_gate.h"

namespace magpie::server {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMostGreeting{1000};  // until both sides are proven
constexpr milliseconds kPause{50};           // before a connection is tried again
constexpr std::size_t kMostUnproven = 32;

/// An established link that ends so was closed by the other side, or its kernel.
bool closed_by_peer(const std::string& why) {
  return why == Link::kClosedByPeer || why == net::error_text(ECONNRESET) || why == net::error_text(EPIPE);
}

wire::Hello hello_of(const NodeIdentity& identity) {
  return {.oldest_version = kOldestVersion,
          .newest_version = kNewestVersion,
          .cluster = identity.cluster,
          .node = identity.node,
          .incarnation = identity.incarnation,
          .nonce = Peers::draw_nonce(),
          .purpose = wire::Purpose::Heartbeats};
}

}  // namespace

/// The way to one node: looks for it again and again.
class ShardLinks::Outgoing final : private LinkOwner {
 public:
  Outgoing(ShardLinks& links, cluster::NodeId peer) : links_(links), peer_(std::move(peer)) {}

  void set_address(const NodeAddresses& addresses) {
    if (addresses == addresses_) return;
    drop();
    addresses_ = addresses;
  }
  const NodeAddresses& addresses() const { return addresses_; }
  bool open() const { return open_; }
  void send(const wire::Message& message) {
    if (!open_ || link_->congested()) return;
    append_message(link_->out(), message);
    link_->flush();
  }
  void drop() {
    if (open_) links_.owner_.on_closing(peer_);
    forget();
  }
  void tick(cluster::BootTime now) {
    const bool idle = connector_ == nullptr && link_ == nullptr;
    if (!idle && (ended_ || (!open_ && now - since_ > kMostGreeting))) forget();
    if (connector_ != nullptr || link_ != nullptr || addresses_.node_port == 0 || now - since_ < kPause) return;
    since_ = now;
    connector_ =
        std::make_unique<net::Connector>(links_.loop_, addresses_.host, addresses_.node_port, [this](auto connected) {
          if (!connected) return fail();
          greet(*connected);
        });
  }

 private:
  void forget() {
    open_ = ended_ = false;
    link_.reset();
    connector_.reset();
  }
  void fail() { ended_ = true; }
  void greet(int fd) {
    LinkOwner& owner = *this;
    who_ = links_.who_();
    hello_ = hello_of(who_.identity);
    link_ = std::make_unique<Link>(links_.loop_, fd, owner);
    append_message(link_->out(), hello_);
    link_->flush();
  }
  std::expected<void, std::string> on_message(const wire::Message& message, std::size_t) override {
    if (const auto* refusal = std::get_if<wire::Refusal>(&message)) {
      return std::unexpected("it refuses: " + printable(refusal->reason));
    }
    const auto* welcome = std::get_if<wire::Welcome>(&message);
    if (welcome == nullptr || open_) return std::unexpected("it sent what must not come now");
    if (!wire::same_proof(welcome->proof, prove(who_.secret, "listener", hello_, *welcome))) {
      return std::unexpected(kOtherSecret);
    }
    if (welcome->node != peer_.text) return std::unexpected("it is " + printable(welcome->node));
    append_message(link_->out(), wire::Login{prove(who_.secret, "speaker", hello_, *welcome)});
    open_ = true;
    told_ = false;
    log_notice("Shard: there is a link to " + peer_.text);
    links_.owner_.on_peer_seen({peer_, {welcome->incarnation}});
    return {};
  }
  void on_caught_up() override { link_->flush(); }
  void on_drained() override {}
  void on_end(const std::string& why) override {
    if (open_ || !std::exchange(told_, true)) log_warning("Shard: no link to " + peer_.text + ": " + why);
    const bool closed = open_ && closed_by_peer(why);
    const bool closing = open_ && !closed;
    open_ = false;
    ended_ = true;
    if (closed) links_.owner_.on_peer_closed(peer_);
    if (closing) links_.owner_.on_closing(peer_);
  }

  ShardLinks& links_;
  const cluster::NodeId peer_;
  NodeAddresses addresses_;
  Who who_;
  wire::Hello hello_;
  cluster::BootTime since_ = cluster::BootTime{};  // the last attempt
  bool open_ = false;
  bool ended_ = false;
  bool told_ = false;  // of why there is none
  std::unique_ptr<net::Connector> connector_;
  std::unique_ptr<Link> link_;
};

/// A connection of another node.
class ShardLinks::Incoming final : private LinkOwner {
 public:
  Incoming(ShardLinks& links, int fd)
      : links_(links),
        address_(Peers::address_of(fd)),
        who_(links.who_()),
        link_(links.loop_, fd, static_cast<LinkOwner&>(*this)) {}

  bool over(cluster::BootTime now) const { return ended_ || (!proven_ && now - since_ > kMostGreeting); }
  bool proven() const { return proven_; }
  void drop() {
    if (proven_ && !ended_) links_.owner_.on_closing(peer_);
    ended_ = true;
  }

 private:
  using Outcome = std::expected<void, std::string>;
  Outcome refuse(wire::RefusalCode code, std::string reason) {
    append_message(link_.out(), wire::Refusal{code, reason});
    return std::unexpected(std::move(reason));
  }
  Outcome take_hello(const wire::Hello& hello) {
    if (hello.newest_version < kOldestVersion || hello.oldest_version > kNewestVersion) {
      return refuse(wire::RefusalCode::Version, "the versions of the protocol between nodes differ");
    }
    if (hello.cluster != who_.identity.cluster || !links_.knows(hello.node)) {
      return refuse(wire::RefusalCode::Cluster, "it is no node of this shard: " + printable(hello.node) +
                                                    " of the cluster '" + printable(hello.cluster) + "'");
    }
    hello_ = hello;
    peer_ = {hello.node};
    welcome_ = {std::min(hello.newest_version, kNewestVersion),
                who_.identity.node,
                who_.identity.incarnation,
                Peers::draw_nonce(),
                {}};
    welcome_.proof = prove(who_.secret, "listener", hello_, welcome_);
    append_message(link_.out(), welcome_);
    return {};
  }
  Outcome on_message(const wire::Message& message, std::size_t) override {
    if (ended_) return {};
    if (const auto* hello = std::get_if<wire::Hello>(&message)) {
      if (!peer_.text.empty()) return std::unexpected("it sent what must not come now");
      if (hello->purpose == wire::Purpose::Heartbeats) return take_hello(*hello);
      ended_ = true;  // this socket's other name goes on
      link_.stop_reading();
      links_.owner_.on_follower(net::duplicate_socket(link_.fd()), *hello);
      return {};
    }
    if (const auto* login = std::get_if<wire::Login>(&message)) {
      if (peer_.text.empty() || proven_) return std::unexpected("it sent what must not come now");
      if (!wire::same_proof(login->proof, prove(who_.secret, "speaker", hello_, welcome_))) {
        return refuse(wire::RefusalCode::Secret, kOtherSecret);
      }
      proven_ = true;
      links_.owner_.on_peer_seen({peer_, {hello_.incarnation}});
      return {};
    }
    if (!proven_) return std::unexpected("it sent what must not come now");
    links_.owner_.on_peer_message(peer_, message);
    return {};
  }
  void on_caught_up() override {
    if (!ended_) link_.flush();
  }
  void on_drained() override {}
  void on_end(const std::string& why) override {
    if (ended_) return;
    ended_ = true;
    if (!closed_by_peer(why)) log_warning("Shard: the link of a node at " + address_ + " ends: " + why);
    if (proven_ && closed_by_peer(why)) {
      links_.owner_.on_peer_closed(peer_);
    } else if (proven_) {
      links_.owner_.on_closing(peer_);
    }
    links_.sweep();
  }

  ShardLinks& links_;
  const std::string address_;  // of the other end
  const Who who_;
  const cluster::BootTime since_ = boot_clock();
  wire::Hello hello_;
  wire::Welcome welcome_;
  cluster::NodeId peer_;  // empty: it has not said
  bool proven_ = false;
  bool ended_ = false;
  Link link_;  // last: closes first
};

/// One look who runs at an address.
class ShardLinks::Probe final : private LinkOwner {
 public:
  Probe(ShardLinks& links, const NodeAddresses& at, milliseconds time, std::function<void(const Probed&)> on_done)
      : links_(links),
        at_(at),
        on_done_(std::move(on_done)),
        late_(links.loop_, [this] { done({}); }),
        again_(links.loop_, [this] { connect(); }) {
    late_.start_once(time);
    connect();
  }
  bool over() const { return over_; }

 private:
  void connect() {
    link_.reset();
    connector_.emplace(links_.loop_, at_.host, at_.node_port, [this](auto connected) {
      if (connected) return greet(*connected);
      if (connected.error().code == ECONNREFUSED) return done({.refused = true, .incarnation = {}});
      connect_again();
    });
  }
  /// A process that dies closes its links first: its listener may take connections for a moment.
  void connect_again() {
    constexpr milliseconds kPauseOfProbes{5};
    if (!over_) again_.start_once(kPauseOfProbes);
  }
  void greet(int fd) {
    who_ = links_.who_();
    hello_ = hello_of(who_.identity);
    link_ = std::make_unique<Link>(links_.loop_, fd, static_cast<LinkOwner&>(*this));
    append_message(link_->out(), hello_);
    link_->flush();
  }
  std::expected<void, std::string> on_message(const wire::Message& message, std::size_t) override {
    const auto* welcome = std::get_if<wire::Welcome>(&message);
    if (welcome == nullptr) return std::unexpected("it sent what must not come now");
    if (wire::same_proof(welcome->proof, prove(who_.secret, "listener", hello_, *welcome))) {
      done({.refused = false, .incarnation = cluster::Incarnation{welcome->incarnation}});
    }
    return {};
  }
  void on_caught_up() override {}
  void on_drained() override {}
  void on_end(const std::string&) override { connect_again(); }
  void done(const Probed& probed) {
    if (std::exchange(over_, true)) return;
    links_.loop_.post([call = std::move(on_done_), probed, alive = std::weak_ptr<bool>(links_.alive_)] {
      if (!alive.expired()) call(probed);
    });
    links_.sweep();
  }

  ShardLinks& links_;
  const NodeAddresses at_;
  std::function<void(const Probed&)> on_done_;
  bool over_ = false;
  Who who_;
  wire::Hello hello_;
  net::Timer late_;
  net::Timer again_;
  std::optional<net::Connector> connector_;
  std::unique_ptr<Link> link_;
};

ShardLinks::ShardLinks(net::Loop& loop, ShardLinksOwner& owner, std::function<Who()> who,
                       std::vector<cluster::NodeId> peers)
    : loop_(loop), owner_(owner), who_(std::move(who)) {
  for (cluster::NodeId& peer : peers) outgoing_.emplace(peer, std::make_unique<Outgoing>(*this, peer));
}

ShardLinks::~ShardLinks() = default;

bool ShardLinks::knows(const std::string& node) const { return outgoing_.contains(cluster::NodeId{node}); }

void ShardLinks::set_address(const cluster::NodeId& peer, const NodeAddresses& addresses) {
  if (const auto found = outgoing_.find(peer); found != outgoing_.end()) found->second->set_address(addresses);
}

void ShardLinks::send(const cluster::NodeId& to, const wire::Message& message) {
  if (const auto found = outgoing_.find(to); found != outgoing_.end()) found->second->send(message);
}

bool ShardLinks::linked(const cluster::NodeId& peer) const {
  const auto found = outgoing_.find(peer);
  return found != outgoing_.end() && found->second->open();
}

void ShardLinks::accept(int fd) {
  const auto unproven = std::ranges::count_if(incoming_, [](const auto& one) { return !one->proven(); });
  if (static_cast<std::size_t>(unproven) >= kMostUnproven) {
    net::close_socket(fd);
    return;
  }
  incoming_.push_back(std::make_unique<Incoming>(*this, fd));
}

void ShardLinks::restart() {
  for (const auto& [peer, link] : outgoing_) link->drop();
  for (const auto& link : incoming_) link->drop();
  sweep();
}

void ShardLinks::sweep() {
  loop_.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (alive.expired()) return;
    const cluster::BootTime now = boot_clock();
    std::erase_if(incoming_, [now](const auto& one) { return one->over(now); });
    std::erase_if(probes_, [](const auto& one) { return one->over(); });
  });
}

void ShardLinks::tick() {
  const cluster::BootTime now = boot_clock();
  for (const auto& [peer, link] : outgoing_) link->tick(now);
  std::erase_if(incoming_, [now](const auto& one) { return one->over(now); });
}

void ShardLinks::probe(const cluster::NodeId& node, milliseconds time, std::function<void(const Probed&)> on_done) {
  const auto found = outgoing_.find(node);
  const NodeAddresses at = found == outgoing_.end() ? NodeAddresses{} : found->second->addresses();
  probes_.push_back(std::make_unique<Probe>(*this, at, time, std::move(on_done)));
}

}  // namespace magpie::server
