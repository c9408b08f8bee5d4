#include "server/replication/compression.h"

#include <algorithm>
#include <utility>

namespace magpie::server {
namespace {

constexpr std::size_t kLeast = 300;     // bytes; less is not worth a header
constexpr unsigned kAnyGain = 100;      // percent
constexpr unsigned kGoodGain = 80;      // percent, which pay for the processor's time on both sides
constexpr unsigned kPause = 32;         // pieces that are sent as they are after one that did not shrink so far
constexpr unsigned kCongestions = 3;    // a connection that has just begun is congested for a moment
constexpr unsigned kSlowNetwork = 50;  // observations: compressed data may well end the congestion, which then returns
constexpr std::uint64_t kReceiver = 2;  // the receiver is slow if it had no room for 1/2 of the time

}  // namespace

void Compression::observe(const Times& now) {
  const std::uint64_t sending = now.sending_us - std::min(before_.sending_us, now.sending_us);
  const std::uint64_t receiver = now.receiver_us - std::min(before_.receiver_us, now.receiver_us);
  before_ = now;
  const bool congested = std::exchange(congested_, false);
  if (receiver * kReceiver > sending) {  // it would not be any faster with less to read, and has more to do
    congestions_ = slow_network_left_ = 0;
    return;
  }
  congestions_ = congested ? std::min(congestions_ + 1, kCongestions) : 0;
  if (congestions_ == kCongestions || (congested && slow_network_left_ > 0)) {
    slow_network_left_ = kSlowNetwork;
  } else if (slow_network_left_ > 0) {
    --slow_network_left_;
  }
}

unsigned Compression::most_percent(std::size_t bytes) {
  if (mode_ == Mode::No || bytes < kLeast) return 0;
  if (mode_ == Mode::Yes) return kAnyGain;
  if (!other_machine_ || slow_network_left_ == 0) return 0;
  if (pause_left_ == 0) return kGoodGain;
  --pause_left_;
  return 0;
}

void Compression::tried(std::size_t plain, std::size_t sent) {
  if (mode_ == Mode::Auto && sent == plain) pause_left_ = kPause;
}

}  // namespace magpie::server
