#include "server/peers/follower_link.h"

#include <algorithm>

#include "server/logging.h"
#include "server/peers/peers.h"
#include "server/state/clock.h"

namespace magpie::server {
namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;  // bytes that are made at a time
constexpr int kPiecesPerTurn = 8;                      // of the log

}  // namespace

FollowerLink::FollowerLink(Peers& peers, int fd)
    : peers_(peers),
      name_(Peers::address_of(fd)),
      session_(peers.state().keyspace, peers.state().replication, peers.identity(), terms(fd)),
      since_ms_(wall_clock().ms),
      link_(peers.loop(), fd, *this) {}

FollowerSession::Terms FollowerLink::terms(int fd) const {
  return {peers_.secret_here(), Peers::draw_nonce(), Peers::ip_of(fd)};
}

std::expected<void, std::string> FollowerLink::on_message(const wire::Message& message, std::size_t) {
  auto taken = session_.take(message, wall_clock(), link_.out());
  if (const auto& status = session_.status(); status != nullptr && status->port != 0) {
    name_ = status->address + ":" + std::to_string(status->port);  // where its clients find it
  }
  if (!session_.log_line().empty()) log_notice("Replica " + name_ + " " + session_.log_line());
  return taken;
}

void FollowerLink::ask_to_take_over(Lsn lsn, bool force) {
  session_.ask_to_take_over(lsn, force, link_.out());
  link_.flush();
}

void FollowerLink::on_caught_up() {
  link_.flush();
  pump();
  peers_.follower_confirmed();
  peers_.state().control.replicas_confirmed();
}

void FollowerLink::on_end(const std::string& why) {
  ended_ = true;
  log_warning("Replica " + name_ + " is gone: " + why);
  peers_.sweep();
}

/// While clients keep the loop busy, full synchronisation gets a fifth of its time.
bool FollowerLink::may_work() {
  const std::uint64_t commands = peers_.commands_of_loop();
  const bool busy = commands != commands_before_;
  commands_before_ = commands;
  constexpr std::uint64_t kRest = 4;
  return !busy || ticks() - piece_ended_ >= kRest * (piece_ended_ - piece_began_);
}

void FollowerLink::pump() {
  if (ended_ || !session_.streaming()) return;
  for (int piece = 0; piece < kPiecesPerTurn && !link_.congested(); ++piece) {
    const bool syncing = session_.syncing();
    if (syncing && (piece > 0 || !may_work())) break;
    piece_began_ = ticks();
    const FollowerSession::More more = session_.produce(kPiece, wall_clock(), link_.out());
    link_.flush();
    piece_ended_ = ticks();
    if (more == FollowerSession::More::No) return;
    if (more == FollowerSession::More::Never) return on_end("it has fallen behind what repl-backlog-size keeps");
  }
  if (!link_.congested()) pump_later();
}

void FollowerLink::pump_later() {
  if (pump_is_due_) return;
  pump_is_due_ = true;
  peers_.in_next_turn(*this, [](FollowerLink& link) {
    link.pump_is_due_ = false;
    link.pump();
  });
}

void FollowerLink::tick(Instant now) {
  if (ended_) return;
  const std::int64_t most_silent_ms = peers_.timeout_ms();
  const std::int64_t heard_ms = session_.status() == nullptr ? since_ms_ : session_.status()->heard_ms.load();
  if (now.ms - heard_ms > most_silent_ms) return on_end("nothing was heard from it for long");
  measure_lag(now);
  session_.send_heartbeat(now, link_.out());
  link_.flush();
  pump();
}

void FollowerLink::measure_lag(Instant now) {
  if (!session_.streaming() || session_.syncing()) return;
  constexpr std::size_t kMostSamples = 6000;
  FollowerStatus& status = *session_.status();
  const Lsn confirmed{status.confirmed.load()};
  samples_.push_back({peers_.state().replication.log_end(), now.ms});
  while (!samples_.empty() && samples_.front().end <= confirmed) samples_.pop_front();
  status.lag_ms = samples_.empty() ? 0 : now.ms - samples_.front().ms;
  if (samples_.size() > kMostSamples) samples_.pop_back();
}

}  // namespace magpie::server
