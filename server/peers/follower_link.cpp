#include "server/peers/follower_link.h"

#include <algorithm>

#include "server/logging.h"
#include "server/net/sockets.h"
#include "server/peers/peers.h"
#include "server/state/clock.h"

namespace magpie::server {
namespace {

// Bytes that are made at a time: of the log, and of what it gets as a whole, where a client may have to wait for one.
constexpr std::size_t kLogPiece = std::size_t{64} << 10;
constexpr std::size_t kSyncPiece = std::size_t{16} << 10;
constexpr int kPiecesPerTurn = 8;  // of the log

Compression::Mode mode_of(const config::Settings& settings) {
  switch (settings.repl_compression) {
    case config::ReplCompression::Auto:
      return Compression::Mode::Auto;
    case config::ReplCompression::Yes:
      return Compression::Mode::Yes;
    case config::ReplCompression::No:
      break;
  }
  return Compression::Mode::No;
}

/// A node of this machine may have come from another of its addresses than loopback.
bool on_other_machine(int fd) {
  const auto host = [fd](net::Side side) {
    const std::string address = net::socket_address(fd, side);
    return address.substr(0, address.rfind(':'));
  };
  return !net::from_this_machine(fd) && host(net::Side::Local) != host(net::Side::Peer);
}

}  // namespace

FollowerLink::FollowerLink(Peers& peers, int fd)
    : peers_(peers),
      name_(Peers::address_of(fd)),
      session_(peers.state().keyspace, peers.state().replication, peers.identity(), terms(fd)),
      since_ms_(wall_clock().ms),
      link_(peers.loop(), fd, *this) {}

FollowerSession::Terms FollowerLink::terms(int fd) const {
  return {.secret = peers_.secret_here(),
          .nonce = Peers::draw_nonce(),
          .peer_address = Peers::ip_of(fd),
          .duties = peers_.duties(),
          .term = peers_.term(),
          .compression = {mode_of(*peers_.state().config.current()), on_other_machine(fd)}};
}

void FollowerLink::begin(const wire::Hello& hello) {
  const auto taken = on_message(hello, 0);
  link_.flush();
  if (!taken) on_end(taken.error());
}

std::expected<void, std::string> FollowerLink::on_message(const wire::Message& message, std::size_t) {
  auto taken = session_.take(message, wall_clock(), link_.out());
  if (const auto& status = session_.status(); status != nullptr && status->port != 0) {
    name_ = status->address + ":" + std::to_string(status->port);  // where its clients find it
  }
  tell();
  return taken;
}

void FollowerLink::tell() const {
  if (!session_.log_line().empty()) log_notice("Replica " + name_ + " " + session_.log_line());
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
  if (why != FollowerSession::kNotLeader) log_warning("Replica " + name_ + " is gone: " + why);  // it knows, and asks
  peers_.sweep();
}

void FollowerLink::pump() {
  if (ended_ || !session_.streaming()) return;
  if (session_.syncing()) return peers_.sync_soon();
  for (int piece = 0; piece < kPiecesPerTurn && !link_.congested(); ++piece) {
    if (!send_piece(kLogPiece)) return;
  }
  if (!link_.congested()) pump_later();
}

bool FollowerLink::sync_piece() {
  if (ended_ || !session_.syncing() || link_.congested() || !send_piece(kSyncPiece)) return false;
  if (!session_.syncing()) pump_later();  // the log follows
  return true;
}

/// False if there is nothing to be sent for now.
bool FollowerLink::send_piece(std::size_t bytes) {
  const FollowerSession::More more = session_.produce(bytes, wall_clock(), link_.out());
  tell();
  link_.flush();
  if (link_.congested()) session_.compression().note_congested();
  if (more == FollowerSession::More::Never) on_end("it has fallen behind what repl-backlog-size keeps");
  return more == FollowerSession::More::Yes;
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
  look_at_network();
  session_.send_heartbeat(now, link_.out());
  link_.flush();
  pump();
}

void FollowerLink::look_at_network() {
  Compression& compression = session_.compression();
  compression.set_mode(mode_of(*peers_.state().config.current()));
  if (!compression.observes()) return;
  if (const auto times = net::send_times(link_.fd())) compression.observe({times->busy_us, times->receiver_full_us});
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
