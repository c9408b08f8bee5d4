// What the machine of a shard wants done.

#include <algorithm>

#include "server/logging.h"
#include "server/peers/peers.h"
#include "server/shard/peer_words.h"
#include "server/shard/shard.h"

namespace magpie::server {

template <class Event>
void Shard::answer(std::uint64_t machine, Event event) {
  if (machine == machine_) step(std::move(event));
}

void Shard::act(cluster::SendMessage& action) { links_.send(action.to, to_wire(action.message)); }

void Shard::act(cluster::ReadArbiter& action) {
  arbiter_->read(std::move(action.keys), [this, machine = machine_, id = action.request](auto result) {
    answer(machine, cluster::ArbiterTold{id, std::move(result)});
  });
}

void Shard::act(cluster::TransactArbiter& action) {
  arbiter_->transact(std::move(action.transaction), [this, machine = machine_, id = action.request](auto result) {
    answer(machine, cluster::ArbiterDecided{id, std::move(result)});
  });
}

void Shard::act(cluster::ProbeNode& action) {
  using Outcome = cluster::ProbeDone::Outcome;
  take_addresses();  // they may have become known by the same answer
  links_.probe(action.node, setup_.replica.timing.probe,
               [this, machine = machine_, id = action.probe](const ShardLinks::Probed& probed) {
                 const Outcome outcome = probed.refused       ? Outcome::Refused
                                         : probed.incarnation ? Outcome::Connected
                                                              : Outcome::TimedOut;
                 answer(machine, cluster::ProbeDone{id, outcome, probed.incarnation.value_or(cluster::Incarnation{})});
               });
}

void Shard::act(cluster::BeginTerm& action) {
  log_notice("Shard: this node leads, in term " + std::to_string(action.term.number));
  to_peers_([term = action.term](Peers& peers) { peers.lead_shard(term); });
}

void Shard::act(cluster::FollowLeader& action) {
  log_notice("Shard: " + action.leader.node.text + " leads, in term " + std::to_string(action.term.number));
  NodeAddresses addresses;
  {
    const std::lock_guard guard(lock_);
    addresses = addresses_of(action.leader.node);
  }
  to_peers_([leader = action.leader, term = action.term, addresses](Peers& peers) {
    peers.follow_in_shard({leader, term, addresses.host, addresses.client_port, addresses.node_port});
  });
}

void Shard::act(cluster::ServingChanged& action) {
  log_notice(action.serving ? "Shard: this node serves" : "Shard: this node serves no longer");
  state_.control.serving_changed();
}

void Shard::act(cluster::IsrChanged& action) {
  std::string line = "Shard: in sync are";
  for (const cluster::Member& member : action.isr) {
    line += ' ';
    line += member.node.text;
  }
  log_notice(line);
}

/// The node goes on as one that has just started.
void Shard::act(cluster::MayDiscard&) {
  log_notice("Shard: the data here is given up, it comes anew from the leader");
  links_.restart();
  setup_.replica.self.incarnation.bytes = Peers::draw_nonce();
  {
    const std::lock_guard guard(lock_);
    ++machine_;
    discarding_ = true;
    to_do_.clear();
    identity_.incarnation = setup_.replica.self.incarnation.bytes;
    replica_ = make_replica();
  }
  to_peers_([incarnation = identity_.incarnation](Peers& peers) { peers.discard(incarnation); });
  step(cluster::Started{});
}

void Shard::act(cluster::ExitNode&) {
  log_warning("Shard: another process runs as node " + identity_.node + ", so this one ends");
  state_.control.shut_down({.now = true, .force = true});
}

void Shard::act(cluster::Notice& action) {
  using What = cluster::Notice::What;
  switch (action.what) {
    case What::PossibleLoss:
      return log_warning("Shard: this node took over with fewer answers than needed: writes may be lost");
    case What::DataLost:
      return log_warning("Shard: this node leads without having all confirmed writes, for nobody has them any more");
    case What::ArbiterFromPast:
      return log_warning("Shard: the arbiter knows less than this node has seen: it was set back, nothing is changed");
    case What::ArbiterUnreadable:
      return log_warning("Shard: the arbiter holds what this version cannot read");
    case What::HandOverFailed:
      return log_warning("Shard: the hand-over failed");
  }
}

NodeAddresses Shard::addresses_of(const cluster::NodeId& node) const {
  const cluster::NodeRecord* const record = replica_->view().node(node);
  if (record == nullptr) return {};
  return parse_node_addresses(record->details).value_or(NodeAddresses{});
}

void Shard::take_addresses() {
  for (const cluster::NodeId& node : others()) {
    NodeAddresses addresses;
    {
      const std::lock_guard guard(lock_);
      addresses = addresses_of(node);
    }
    if (addresses.node_port != 0) links_.set_address(node, addresses);
  }
}

}  // namespace magpie::server
