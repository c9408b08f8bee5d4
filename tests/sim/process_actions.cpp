#include <algorithm>

#include "tests/sim/checks.h"
#include "tests/sim/process.h"

namespace magpie::sim {
namespace {

constexpr milliseconds kConnectAgain{60};

}  // namespace

void Process::act(const cluster::SendMessage& action) {
  const Place to = place_of_name(action.to);
  around_->network.datagram(place_, to, [around = around_, to, message = action.message] {
    if (const auto process = around->process_at(to)) process->handle(cluster::MessageReceived{message});
  });
}

void Process::act(const cluster::ReadArbiter& action) {
  around_->arbiter.read(place_, action.keys, [self = weak_from_this(), id = action.request](auto result) {
    if (const auto process = self.lock()) process->handle(cluster::ArbiterTold{id, std::move(result)});
  });
}

void Process::act(const cluster::TransactArbiter& action) {
  around_->trace.add(place_, [&] { return name_of(place_) + " sends a transaction"; });
  around_->arbiter.transact(place_, action.transaction, [self = weak_from_this(), id = action.request](auto result) {
    if (const auto process = self.lock()) process->handle(cluster::ArbiterDecided{id, std::move(result)});
  });
}

void Process::act(const cluster::ProbeNode& action) {
  using Outcome = cluster::ProbeDone::Outcome;
  const Place to = place_of_name(action.node);
  const auto tell = [around = around_, self = weak_from_this()](nanoseconds delay, const cluster::ProbeDone& done) {
    around->schedule.after(delay, [self, done] {
      if (const auto process = self.lock()) process->handle(done);
    });
  };
  Network& network = around_->network;
  const cluster::ProbeDone timed_out{action.probe, Outcome::TimedOut, {}};
  if (network.cut(place_, to)) return tell(replica_.config().timing.probe, timed_out);
  around_->schedule.after(network.latency(place_, to), [around = around_, from = place_, to, tell, timed_out] {
    Network& way = around->network;
    if (way.cut(to, from)) return tell(milliseconds(200), timed_out);
    const auto process = around->process_at(to);
    const bool refused = !process || way.path(from, to).refusals > 0;
    tell(way.latency(to, from), {timed_out.probe, refused ? Outcome::Refused : Outcome::Connected,
                                 refused ? cluster::Incarnation{} : process->self().incarnation});
  });
}

void Process::act(const cluster::BeginTerm& action) {
  around_->trace.add(action.term.number,
                     [&] { return name_of(place_) + " leads term " + std::to_string(action.term.number); });
  around_->checks.term_begins(action.term, place_);
  following_.reset();
  soon([this, term = action.term] {
    data_->begin_term(term);
    applied();
  });
}

void Process::act(const cluster::FollowLeader& action) {
  around_->trace.add(action.term.number, [&] {
    return name_of(place_) + " follows " + action.leader.node.text + " in term " + std::to_string(action.term.number);
  });
  const bool before = following_.has_value();
  following_ = std::pair(action.leader, action.term);
  soon([this, before] {
    data_->end_term();
    if (before) {
      for (const Link& link : std::vector(links_)) close(link.id);
    }
    connect();
  });
}

void Process::act(const cluster::ServingChanged& action) {
  around_->trace.add(action.serving ? 1 : 0,
                     [&] { return name_of(place_) + (action.serving ? " serves" : " serves no more"); });
}

void Process::act(const cluster::CommitMoved& action) {
  around_->trace.add(action.commit.bytes,
                     [&] { return name_of(place_) + " commits " + std::to_string(action.commit.bytes); });
  around_->checks.commit_moved(*this, action.commit);
}

void Process::act(const cluster::IsrChanged& action) {
  around_->trace.add(action.isr.size(), [&] {
    std::string line = name_of(place_) + " sees ISR";
    for (const cluster::Member& member : action.isr) line += ' ' + member.node.text;
    return line;
  });
}

void Process::act(const cluster::MayDiscard& /*action*/) {
  around_->trace.add(place_, [&] { return name_of(place_) + " begins anew without data"; });
  dead_ = true;
  around_->end_process(place_, milliseconds(1));
}

void Process::act(const cluster::ExitNode& /*action*/) {
  around_->trace.add(place_, [&] { return name_of(place_) + " finds another under its id"; });
  dead_ = true;
  around_->end_process(place_, milliseconds(-1));
}

void Process::act(const cluster::Notice& action) {
  around_->trace.add(static_cast<std::uint64_t>(action.what),
                     [&] { return name_of(place_) + " notices " + std::to_string(static_cast<int>(action.what)); });
  around_->checks.noticed(action.what);
}

void Process::connect_later() {
  if (connecting_) return;
  connecting_ = true;
  later(kConnectAgain, [this] {
    connecting_ = false;
    connect();
  });
}

void Process::connect() {
  if (!following_ || connecting_ || dead_) return;
  if (std::ranges::any_of(links_, &Link::opened)) return;
  const Place to = place_of_name(following_->first.node);
  const auto again = [this] { connect_later(); };
  if (around_->network.cut(place_, to) || around_->network.cut(to, place_)) return again();
  connecting_ = true;
  around_->schedule.after(
      around_->network.latency(place_, to), [around = around_, from = place_, to, self = weak_from_this()] {
        const auto process = self.lock();
        if (!process) return;
        const auto peer = around->process_at(to);
        const bool refused = !peer || around->network.path(from, to).refusals > 0 || around->network.cut(from, to);
        const LinkId id{++around->last_link};
        StreamPtr stream;
        if (!refused) {
          stream = std::make_shared<Stream>(Stream::End{from,
                                                        [self, id] {
                                                          if (const auto one = self.lock())
                                                            one->post([&one = *one, id] { one.link_closed(id); });
                                                        }},
                                            Stream::End{to, [other = peer->weak_from_this(), id] {
                                                          if (const auto one = other.lock())
                                                            one->post([&one = *one, id] { one.link_closed(id); });
                                                        }});
          peer->accept(id, stream, process->self());
        }
        around->schedule.after(around->network.latency(to, from),
                               [self, id, stream, seen = refused ? cluster::Member{} : peer->self()] {
                                 if (const auto one = self.lock())
                                   one->post([&one = *one, id, stream, seen] { one.connected(id, stream, seen); });
                               });
      });
}

void Process::accept(LinkId id, const StreamPtr& stream, const cluster::Member& peer) {
  post([this, id, stream, peer] {
    links_.push_back({id, stream, peer, false});
    step(cluster::PeerSeen{peer});
  });
}

void Process::connected(LinkId id, const StreamPtr& stream, const cluster::Member& peer) {
  connecting_ = false;
  if (stream) step(cluster::PeerSeen{peer});
  if (!stream || !stream->open() || !following_ || following_->first != peer) {
    if (stream) around_->network.close(stream, place_);
    return connect_later();
  }
  links_.push_back({id, stream, peer, true});
  around_->trace.add(id.number, [&] { return name_of(place_) + " has a link to " + peer.node.text; });
  with_data([&] { data_->connected(id, following_->first, following_->second); });
}

void Process::link_closed(LinkId id) {
  const Link* link = find(id);
  if (link == nullptr) return;
  const cluster::NodeId peer = link->peer.node;
  const bool opened = link->opened;
  around_->trace.add(id.number, [&] { return name_of(place_) + " loses its link to " + peer.text; });
  std::erase_if(links_, [id](const Link& one) { return one.id == id; });
  with_data([&] { data_->closed(id); });
  step(cluster::LinkClosed{peer});
  if (opened && following_) connect_later();
}

}  // namespace magpie::sim
