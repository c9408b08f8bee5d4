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

  /// Sends what there is, as far as the kernel takes it and the loop has time.
  void pump();
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
  bool may_work();
  void pump_later();
  void measure_lag(Instant now);

  Peers& peers_;
  std::string name_;  // "127.0.0.1:6380", for the log
  FollowerSession session_;
  bool ended_ = false;
  bool pump_is_due_ = false;
  std::int64_t since_ms_;
  // Of full synchronisation: how much of the loop's time it has had.
  std::uint64_t commands_before_ = 0;
  std::uint64_t piece_began_ = 0;
  std::uint64_t piece_ended_ = 0;
  /// Where the log ended, and when.
  struct Sample {
    Lsn end;
    std::int64_t ms;
  };
  std::deque<Sample> samples_;
  Link link_;  // last: closes first
};

}  // namespace magpie::server
