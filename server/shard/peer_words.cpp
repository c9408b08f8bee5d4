#include "server/shard/peer_words.h"

#include <chrono>
#include <variant>

namespace magpie::server {
namespace {

std::uint64_t to_ns(cluster::BootTime time) { return static_cast<std::uint64_t>(time.time_since_epoch().count()); }

cluster::BootTime to_time(std::uint64_t ns) {
  return cluster::BootTime(std::chrono::nanoseconds(static_cast<std::int64_t>(ns)));
}

wire::Message write(const cluster::Heartbeat& from) {
  return wire::Heartbeat{.term = from.term.number,
                         .leader = from.leader.incarnation.bytes,
                         .follower = from.follower.incarnation.bytes,
                         .lsn = from.lsn.bytes,
                         .commit = from.commit.bytes,
                         .time_ms = from.time_ms,
                         .sent_ns = to_ns(from.sent),
                         .stuck = from.stuck};
}

wire::Message write(const cluster::HeartbeatAnswer& from) {
  return wire::HeartbeatAnswer{.term = from.position.term.number,
                               .lsn = from.position.lsn.bytes,
                               .sent_ns = to_ns(from.sent),
                               .heartbeat_term = from.term.number,
                               .leader = from.leader.incarnation.bytes,
                               .follower = from.follower.incarnation.bytes};
}

wire::Message write(const cluster::PreVote& from) {
  return wire::PreVote{from.round, from.candidate.incarnation.bytes, from.term.number,
                       static_cast<wire::CampaignReason>(from.reason)};
}

wire::Message write(const cluster::PreVoteAnswer& from) {
  return wire::PreVoteAnswer{.round = from.round,
                             .voter = from.voter.incarnation.bytes,
                             .heard = from.heard,
                             .complete = from.complete,
                             .term = from.position.term.number,
                             .lsn = from.position.lsn.bytes};
}

}  // namespace

wire::Message to_wire(const cluster::PeerMessage& message) {
  return std::visit([](const auto& one) { return write(one); }, message);
}

std::optional<cluster::PeerMessage> from_wire(const wire::Message& message, const cluster::NodeId& here,
                                              const cluster::NodeId& there) {
  if (const auto* from = std::get_if<wire::Heartbeat>(&message)) {
    return cluster::Heartbeat{.term = {from->term},
                              .leader = {there, {from->leader}},
                              .follower = {here, {from->follower}},
                              .lsn = {from->lsn},
                              .commit = {from->commit},
                              .time_ms = from->time_ms,
                              .sent = to_time(from->sent_ns),
                              .stuck = from->stuck};
  }
  if (const auto* from = std::get_if<wire::HeartbeatAnswer>(&message)) {
    return cluster::HeartbeatAnswer{.term = {from->heartbeat_term},
                                    .leader = {here, {from->leader}},
                                    .follower = {there, {from->follower}},
                                    .position = {{from->term}, {from->lsn}},
                                    .sent = to_time(from->sent_ns)};
  }
  if (const auto* from = std::get_if<wire::PreVote>(&message)) {
    return cluster::PreVote{
        from->round, {there, {from->candidate}}, {from->term}, static_cast<cluster::CampaignReason>(from->reason)};
  }
  if (const auto* from = std::get_if<wire::PreVoteAnswer>(&message)) {
    return cluster::PreVoteAnswer{
        from->round, {there, {from->voter}}, from->heard, from->complete, {{from->term}, {from->lsn}}};
  }
  return std::nullopt;
}

}  // namespace magpie::server
