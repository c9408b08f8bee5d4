#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <string>

#include "server/peers/link.h"
#include "server/replication/follower_session.h"

namespace magpie::server {

class Peers;

/// A connection of another node that wants to follow this one. The loop's thread only.
class FollowerLink final : private LinkOwner {
 public:
  FollowerLink(Peers& peers, int fd);

  /// What the other side has said before this object was there.
  void begin(const wire::Hello& hello);
  /// Sends what there is, as far as the kernel takes it, or sees to it that it has its turns (sync_piece).
  void pump();
  /// Sends a piece of what it gets as a whole; false if there is nothing to do for now.
  bool sync_piece();
  /// Ten times a second.
  void tick(Instant now);
  bool ended() const { return ended_; }
  FollowerSession& session() { return session_; }
  void ask_to_take_over(Lsn lsn, bool force);
  const std::string& name() const { return name_; }
  bool follows() const { return session_.streaming(); }

 private:
  std::expected<void, std::string> on_message(const wire::Message& message, std::size_t frame) override;
  void on_caught_up() override;
  void on_drained() override { pump(); }
  void on_end(const std::string& why) override;

  FollowerSession::Terms terms(int fd) const;
  void tell() const;
  bool send_piece(std::size_t bytes);
  void pump_later();
  void measure_lag(Instant now);
  void look_at_network();

  Peers& peers_;
  std::string name_;  // "127.0.0.1:6380", for the log
  FollowerSession session_;
  bool ended_ = false;
  bool pump_is_due_ = false;
  std::int64_t since_ms_;
  /// Where the log ended, and when.
  struct Sample {
    Lsn end;
    std::int64_t ms;
  };
  std::deque<Sample> samples_;
  Link link_;  // last: closes first
};

}  // namespace magpie::server
