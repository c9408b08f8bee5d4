#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "cluster/replication/boot_time.h"
#include "cluster/replication/replica_events.h"
#include "cluster/replication/timing.h"

namespace magpie::cluster {

/// The sendings of transactions that compare the same revisions. Whatever is answered or not, each of them may still
/// happen until one of those revisions has moved (R3), so they are sent again and again. One thread.
class Attempts {
 public:
  void sent(RequestId request, BootTime now) {
    if (sent_.empty()) first_ = now;
    if (sent_.size() == kMost) sent_.pop_front();
    sent_.push_back({request, now});
    failed_.reset();
  }
  /// An error was the answer to one of them.
  void failed(RequestId request, BootTime now) {
    if (!sent_.empty() && sent_.back().request == request) failed_ = now;
  }
  void clear() { *this = {}; }

  bool any() const { return !sent_.empty(); }
  BootTime first() const { return first_; }
  /// Nothing if it is none of these, or one of very long ago.
  std::optional<BootTime> sent_at(RequestId request) const {
    for (const Sent& sent : sent_) {
      if (sent.request == request) return sent.at;
    }
    return std::nullopt;
  }
  /// When it should be sent again.
  BootTime due(const Timing& timing) const {
    if (sent_.empty()) return kLongAgo;
    return failed_ ? *failed_ + timing.retry : sent_.back().at + timing.attempt;
  }

 private:
  static constexpr std::size_t kMost = 64;
  struct Sent {
    RequestId request;
    BootTime at;
  };
  std::deque<Sent> sent_;
  BootTime first_ = kLongAgo;
  std::optional<BootTime> failed_;
};

}  // namespace magpie::cluster
