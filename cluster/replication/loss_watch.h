#pragma once

#include <optional>

#include "cluster/arbiter/arbiter.h"
#include "cluster/replication/boot_time.h"
#include "cluster/replication/peer_message.h"
#include "cluster/replication/timing.h"

namespace magpie::cluster {

/// How long the arbiter has been showing the same sign that the ISR is lost (R23, R24). It must be looked at often:
/// over a gap nothing is known. One thread.
class LossWatch {
 public:
  struct Sign {
    CampaignReason reason;
    Revision shard;
    Revision node;  // of the sole member, for SoleLost
    bool operator==(const Sign&) const = default;
  };

  /// The arbiter has answered a read that was sent then.
  void seen(const std::optional<Sign>& sign, BootTime sent, BootTime now, const Timing& timing) {
    if (sign != sign_ || sent > looked_ + 3 * timing.watch) since_ = now;
    sign_ = sign;
    looked_ = now;
  }
  const std::optional<Sign>& sign() const { return sign_; }
  /// When a campaign is due.
  BootTime due(const Timing& timing) const {
    if (!sign_) return kNever;
    switch (sign_->reason) {
      case CampaignReason::First:
        return since_;
      case CampaignReason::SoleLost:
        return since_ + timing.sole_takeover;
      default:
        return since_ + timing.all_dead;
    }
  }

 private:
  std::optional<Sign> sign_;
  BootTime since_ = kLongAgo;
  BootTime looked_ = kLongAgo;
};

}  // namespace magpie::cluster
