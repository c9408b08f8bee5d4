#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cluster/arbiter/arbiter.h"
#include "cluster/replication/attempts.h"
#include "cluster/replication/peer_message.h"
#include "cluster/replication/replica_config.h"
#include "cluster/replication/shard_view.h"

namespace magpie::cluster {

/// One try of a replica to lead: it asks the others, lets those with more go first, reads, then writes one transaction
/// until it is settled. Time is passed in. One thread.
class Campaign {
 public:
  enum class Phase : std::uint8_t { Asking, Waiting, Reading, Deciding };

  /// `voters`: who is asked; where their incarnation is all zero, any start of that node counts.
  Campaign(const ReplicaConfig& config, CampaignReason reason, std::uint64_t round, Term term,
           std::vector<Member> voters, BootTime now);

  CampaignReason reason() const { return reason_; }
  Phase phase() const { return phase_; }
  std::uint64_t round() const { return round_; }
  /// Of the leader that seems to be gone.
  Term term() const { return term_; }
  const std::vector<Member>& voters() const { return voters_; }

  void answered(const PreVoteAnswer& answer);
  /// All have answered, or it makes no sense to wait any longer.
  bool asked_enough(BootTime now) const;
  /// Somebody has heard of the leader, or knows better than the arbiter.
  bool vetoed() const;
  /// How many go first.
  std::size_t rank(const LogPosition& own, bool complete) const;
  /// Somebody's log goes further.
  bool behind(const LogPosition& own) const;
  /// R21: somebody who does not answer may have more that was confirmed.
  bool may_lose() const;

  void wait(BootTime until) { phase_ = Phase::Waiting, until_ = until; }
  void read(RequestId request, BootTime now) { phase_ = Phase::Reading, read_ = request, until_ = now; }
  RequestId read_request() const { return read_; }

  /// The state and term that this replica would lead with, compared with what is seen now.
  void decide(const ShardView& view);
  const Transaction& transaction() const { return transaction_; }
  Attempts& attempts() { return attempts_; }
  const Attempts& attempts() const { return attempts_; }
  /// None of the sendings can happen any more, or one has.
  bool settled(const ShardView& view) const;

  BootTime next(BootTime now) const;
  BootTime until() const { return until_; }

 private:
  BootTime asked_until() const;
  std::size_t enough_answers() const;
  ShardState next_state(const ShardView& view) const;
  void compare(const ShardView& view, const std::string& key);

  const ReplicaConfig* config_;
  CampaignReason reason_;
  std::uint64_t round_;
  Term term_;
  std::vector<Member> voters_;
  BootTime begun_;
  Phase phase_ = Phase::Asking;
  std::vector<PreVoteAnswer> answers_;
  BootTime until_;
  RequestId read_;
  Transaction transaction_;
  Attempts attempts_;
};

}  // namespace magpie::cluster
