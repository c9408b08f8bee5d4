#include "server/peers/failover.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "server/logging.h"
#include "server/peers/peers.h"
#include "server/state/clock.h"

namespace magpie::server {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kAnswerMs = 5000;  // that a follower has to take over

}  // namespace

Failover::Failover(Peers& peers, NodeControl::FailoverOrder order)
    : peers_(peers),
      order_(std::move(order)),
      until_ms_(order_.timeout_ms ? wall_clock().ms + *order_.timeout_ms : kNever) {
  log_notice("FAILOVER: writes wait until a replica has everything");
}

Failover::~Failover() {
  peers_.state().replication.set_failover(Replication::Failover::None);
  peers_.state().pause.end();
  peers_.state().control.pause_changed();
}

bool Failover::fits(FollowerLink& link) const {
  const auto& status = link.session().status();
  if (link.ended() || !link.follows() || link.session().syncing()) return false;
  return order_.host.empty() || (status->address == order_.host && status->port == order_.port);
}

/// A follower that may take over and has all.
FollowerLink* Failover::candidate() const {
  const Lsn end = peers_.state().replication.log_end();
  for (const auto& link : peers_.followers()) {
    if (fits(*link) && Lsn{link->session().status()->confirmed.load()} >= end) return link.get();
  }
  return nullptr;
}

void Failover::ask(FollowerLink& link, bool force) {
  log_notice("FAILOVER: replica " + link.name() + " is asked to take over");
  peers_.state().replication.set_failover(Replication::Failover::InProgress);
  asked_ = &link;
  until_ms_ = wall_clock().ms + kAnswerMs;
  link.ask_to_take_over(force);
}

bool Failover::go_on(Instant now) {
  if (asked_ == nullptr) {
    if (FollowerLink* const ready = candidate()) {
      ask(*ready, false);
      return false;
    }
    return now.ms > until_ms_ && out_of_time(now);
  }
  const auto same = [&](const auto& link) { return link.get() == asked_ && !link->ended(); };
  if (std::ranges::none_of(peers_.followers(), same)) {
    log_warning("FAILOVER was given up: the link to the replica is gone; if it leads now, this node has to follow it");
    return true;
  }
  if (asked_->session().took_over()) {
    const auto& status = asked_->session().status();
    log_notice("FAILOVER: replica " + asked_->name() + " has taken over");
    peers_.follow(status->address, status->port);
    return true;
  }
  if (now.ms <= until_ms_) return false;
  log_warning("FAILOVER was given up: the replica does not answer");
  return true;
}

/// True if that is the end.
bool Failover::out_of_time(Instant) {
  const auto found = std::ranges::find_if(peers_.followers(), [&](const auto& link) { return fits(*link); });
  if (order_.force && found != peers_.followers().end()) {
    ask(**found, true);
    return false;
  }
  log_warning("FAILOVER was given up: no replica had everything in time");
  return true;
}

}  // namespace magpie::server
