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
  peers_.state().control.pause_changed();
}

bool Failover::fits(FollowerLink& link) const {
  const auto& status = link.session().status();
  if (link.ended() || !link.follows() || link.session().syncing()) return false;
  return order_.host.empty() || (status->address == order_.host && status->port == order_.port);
}

/// A follower that may take over and has the log up to there.
FollowerLink* Failover::candidate(Lsn end) const {
  for (const auto& link : peers_.followers()) {
    if (fits(*link) && Lsn{link->session().status()->confirmed.load()} >= end) return link.get();
  }
  return nullptr;
}

/// From here on it may lead, and what becomes of it may be told to nobody.
void Failover::ask(FollowerLink& link, Lsn lsn, bool force) {
  log_notice("FAILOVER: replica " + link.name() + " is asked to take over");
  peers_.state().replication.set_failover(Replication::Failover::InProgress);
  asked_ = &link;
  target_ = link.session().status();
  until_ms_ = wall_clock().ms + kAnswerMs;
  link.ask_to_take_over(lsn, force);
}

bool Failover::go_on(Instant now) {
  if (target_ == nullptr) {
    const Lsn end = peers_.state().replication.log_end();
    FollowerLink* const ready = candidate(end);
    if (ready == nullptr) return now.ms > until_ms_ && out_of_time();
    ask(*ready, end, false);
    return false;
  }
  const auto same = [&](const auto& link) { return link.get() == asked_ && !link->ended(); };
  const bool there = std::ranges::any_of(peers_.followers(), same);
  using TakenOver = FollowerSession::TakenOver;
  const TakenOver answer = there ? asked_->session().taken_over() : TakenOver::Unknown;
  if (answer == TakenOver::Unknown && there && now.ms <= until_ms_) return false;
  if (answer == TakenOver::No) {
    log_warning("FAILOVER was given up: the replica does not take over");
    return true;
  }
  const std::string name = target_->address + ":" + std::to_string(target_->port);
  if (answer == TakenOver::Yes) {
    log_notice("FAILOVER: replica " + name + " has taken over");
  } else {
    log_warning("FAILOVER: replica " + name +
                " has not told whether it took over; this node follows it, since two leaders would lose writes. If it "
                "does not lead, REPLICAOF NO ONE makes one of them lead");
  }
  peers_.follow(target_->address, target_->port);
  peers_.state().replication.keep_data();
  return true;
}

/// True if that is the end.
bool Failover::out_of_time() {
  const auto found = std::ranges::find_if(peers_.followers(), [&](const auto& link) { return fits(*link); });
  if (order_.force && found != peers_.followers().end()) {
    ask(**found, peers_.state().replication.log_end(), true);
    return false;
  }
  log_warning("FAILOVER was given up: no replica had everything in time");
  return true;
}

}  // namespace magpie::server
