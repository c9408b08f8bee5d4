#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace magpie::server {

/// What a leader tells of a follower. Written by the loop that replication runs on, read by any thread.
struct FollowerStatus {
  enum class Phase : std::uint8_t { Waiting, Syncing, Online };

  FollowerStatus(std::string follower_address, int follower_port)
      : address(std::move(follower_address)), port(follower_port) {}
  const std::string address;
  const int port;  // that its clients use
  std::atomic<Phase> phase{Phase::Waiting};
  std::atomic<std::uint64_t> confirmed{0};  // LSN up to which it has applied the log
  std::atomic<std::int64_t> heard_ms{0};    // wall clock, as all that follow
  std::atomic<std::int64_t> lag_ms{0};  // how old the oldest change is that it has not confirmed
  std::atomic<std::uint64_t> sync_keys{0};  // sent so far
  // Of the frames that were sent compressed: bytes as they would have been, and as they were.
  std::atomic<std::uint64_t> compressed_from{0};
  std::atomic<std::uint64_t> compressed_to{0};
};

/// What a follower tells of its link to the leader. Written and read the same.
struct LeaderStatus {
  enum class Phase : std::uint8_t { Connect, Connecting, Handshake, Syncing, Connected };

  std::atomic<Phase> phase{Phase::Connect};
  std::atomic<std::int64_t> heard_ms{0};
  std::atomic<std::int64_t> down_since_ms{0};  // 0: it is up
  // Full synchronisation has begun and has not ended: what is here is a part of the leader's data. The link may be
  // down.
  std::atomic<bool> incomplete{false};
  std::atomic<std::int64_t> sync_began_ms{0};
  std::atomic<std::uint64_t> sync_total{0};  // keys, about
  std::atomic<std::uint64_t> sync_keys{0};   // that have come
  std::atomic<std::uint64_t> sync_bytes{0};

  /// Why the link is down; empty if it is up or was not tried yet.
  std::string reason() const {
    const std::lock_guard guard(lock_);
    return reason_;
  }
  void set_reason(std::string reason) {
    const std::lock_guard guard(lock_);
    reason_ = std::move(reason);
  }

 private:
  mutable std::mutex lock_;
  std::string reason_;
};

}  // namespace magpie::server
