#include "server/replication/follower_session.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "protocol/printable.h"
#include "protocol/wire/compressed_message.h"
#include "server/replication/wire_history.h"

namespace magpie::server {
namespace {

/// What may be on its way to a follower that has not dealt with it.
constexpr std::uint64_t kWindow = std::uint64_t{8} << 20;
constexpr std::size_t kMostRecords = std::size_t{256} << 10;  // of one message

/// Of "host:port".
int port_of(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  int port = 0;
  if (colon != std::string::npos) std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
  return port;
}

}  // namespace

FollowerSession::FollowerSession(engine::Keyspace& keyspace, Replication& replication, const NodeIdentity& identity,
                                 Terms terms)
    : keyspace_(keyspace), replication_(replication), identity_(identity), terms_(std::move(terms)) {}

FollowerSession::~FollowerSession() {
  if (status_ != nullptr) replication_.remove_follower(*status_);
}

void FollowerSession::send(ByteBuffer& out, const wire::Message& message) {
  const std::size_t before = out.size();
  append_message(out, message);
  frames_ += out.size() - before;
}

/// A message with so many bytes of data.
void FollowerSession::send_data(ByteBuffer& out, const wire::Message& message, std::size_t bytes) {
  const unsigned most = welcome_.version < kCompressedData ? 0 : terms_.compression.most_percent(bytes);
  if (most == 0) return send(out, message);
  const wire::FrameSizes sizes = wire::append_compressed(out, message, most);
  frames_ += sizes.sent;
  terms_.compression.tried(sizes.plain, sizes.sent);
  if (sizes.sent == sizes.plain) return;
  if (status_->compressed_from == 0) log_line_ = "gets data compressed";
  status_->compressed_from += sizes.plain;
  status_->compressed_to += sizes.sent;
}

FollowerSession::Outcome FollowerSession::refuse(wire::RefusalCode code, std::string reason, ByteBuffer& out) {
  send(out, wire::Refusal{code, reason});
  return std::unexpected(std::move(reason));
}

FollowerSession::Outcome FollowerSession::take(const wire::Message& message, Instant now, ByteBuffer& out) {
  log_line_.clear();
  if (status_ != nullptr) status_->heard_ms = now.ms;
  if (const auto* hello = std::get_if<wire::Hello>(&message); hello != nullptr && stage_ == Stage::Hello) {
    return take_hello(*hello, now, out);
  }
  if (const auto* follow = std::get_if<wire::Follow>(&message); follow != nullptr && stage_ == Stage::Follow) {
    return take_follow(*follow, out);
  }
  if (const auto* applied = std::get_if<wire::Applied>(&message); applied != nullptr && streaming()) {
    return take_applied(*applied, now);
  }
  if (const auto* touched = std::get_if<wire::Touched>(&message); touched != nullptr && stage_ == Stage::Touched) {
    return take_touched(*touched, out);
  }
  if (const auto* answer = std::get_if<wire::TookOver>(&message); answer != nullptr && asked_to_take_over_) {
    taken_over_ = answer->refused ? TakenOver::No : TakenOver::Yes;
    return {};
  }
  return std::unexpected("it sent what must not come now");
}

FollowerSession::Outcome FollowerSession::take_hello(const wire::Hello& hello, Instant now, ByteBuffer& out) {
  if (hello.newest_version < kOldestVersion || hello.oldest_version > kNewestVersion) {
    return refuse(wire::RefusalCode::Version,
                  "the versions of the protocol between nodes differ: " + std::to_string(hello.oldest_version) +
                      " to " + std::to_string(hello.newest_version) + " there, " + std::to_string(kOldestVersion) +
                      " to " + std::to_string(kNewestVersion) + " here",
                  out);
  }
  if (hello.cluster != identity_.cluster) {
    return refuse(
        wire::RefusalCode::Cluster,
        "it belongs to the cluster '" + printable(hello.cluster) + "', this node to '" + identity_.cluster + "'", out);
  }
  if (hello.purpose != wire::Purpose::Follow) return std::unexpected("it wants what this node does not do");
  peer_ = hello;
  if (terms_.duties != nullptr && !terms_.term) {
    return refuse(wire::RefusalCode::NotLeader, kNotLeader, out);
  }
  stage_ = Stage::Follow;
  const std::string told = printable(hello.client_address.substr(0, hello.client_address.rfind(':')));
  status_ = std::make_shared<FollowerStatus>(told.empty() ? terms_.peer_address : told, port_of(hello.client_address));
  status_->heard_ms = now.ms;
  welcome_ = {std::min(hello.newest_version, kNewestVersion), identity_.node, identity_.incarnation, terms_.nonce, {}};
  welcome_.proof = prove(terms_.secret, "leader", peer_, welcome_);
  send(out, welcome_);
  return {};
}

/// Up to where the follower's log is the same as this one, if that is still kept from there on.
std::optional<Lsn> FollowerSession::common_with(const wire::Follow& follow, const Replication::Place& here) const {
  if (follow.log.empty() || follow.log != here.log) return std::nullopt;
  const Lsn common = here.history.common(here.end, from_wire(follow.history), Lsn{follow.lsn});
  if (common < log_->begin()) return std::nullopt;
  return common;
}

FollowerSession::Outcome FollowerSession::take_follow(const wire::Follow& follow, ByteBuffer& out) {
  if (!wire::same_proof(follow.proof, prove(terms_.secret, "follower", peer_, welcome_))) {
    return refuse(wire::RefusalCode::Secret, kOtherSecret, out);
  }
  if (terms_.duties != nullptr) terms_.duties->peer_seen(peer());
  if (follow.databases != keyspace_.databases()) {
    return refuse(wire::RefusalCode::Other,
                  "it has " + std::to_string(follow.databases) + " databases, this node " +
                      std::to_string(keyspace_.databases()) + "; the option 'databases' must be the same",
                  out);
  }
  if (replication_.follows() && replication_.log() == nullptr) {
    return refuse(wire::RefusalCode::Busy, "this node has not got its own data yet", out);
  }
  replication_.keep_log();
  log_ = replication_.log();
  const Replication::Place here = replication_.place();
  replication_.add_follower(status_);
  const std::optional<Lsn> common = common_with(follow, here);
  if (!common) {
    begin_sync(out);
  } else if (*common == Lsn{follow.lsn}) {
    resume(*common, here, out);
  } else {
    sent_ = *common;
    stage_ = Stage::Touched;
    send(out, wire::Diverged{here.log, to_wire(here.history), sent_.bytes});
  }
  return {};
}

void FollowerSession::resume(Lsn at, const Replication::Place& here, ByteBuffer& out) {
  sent_ = at;
  status_->confirmed = at.bytes;
  status_->phase = FollowerStatus::Phase::Online;
  stage_ = Stage::Online;
  send(out, wire::Resume{here.log, to_wire(here.history), at.bytes});
  log_line_ = "goes on at " + std::to_string(at.bytes) + ", " + std::to_string(here.end - at) + " bytes behind";
}

/// It has written what this log has not; it gets the keys that it touched there as they are here.
FollowerSession::Outcome FollowerSession::take_touched(const wire::Touched& touched, ByteBuffer& out) {
  constexpr std::size_t kMostTouched = std::size_t{64} << 20;
  if (records_.size() + touched.records.size() > kMostTouched) return std::unexpected("it has touched too many keys");
  records_.append(touched.records);
  if (!touched.last) return {};
  ByteBuffer keys = std::exchange(records_, {});
  if (touched.everything || welcome_.version < kRepairInPieces) {
    begin_sync(out);
    return {};
  }
  states_.emplace(keyspace_, log_, sent_, std::move(keys));
  stage_ = Stage::Repairing;
  return {};
}

FollowerSession::More FollowerSession::produce_repair(std::size_t most, ByteBuffer& out) {
  const KeyStates::State state = states_->produce(records_, std::min(most, kMostRecords));
  if (!records_.empty()) send_data(out, wire::RepairData{records_.view(), states_->lsn().bytes}, records_.size());
  records_.truncate(0);
  if (state == KeyStates::State::More) return More::Yes;
  states_.reset();
  if (state == KeyStates::State::Impossible) {
    begin_sync(out);
  } else {
    resume(sent_, replication_.place(), out);
    log_line_ = "gives up the end of its log; it " + log_line_;
  }
  return More::Yes;
}

void FollowerSession::begin_sync(ByteBuffer& out) {
  sync_.emplace(keyspace_, log_);
  stage_ = Stage::Syncing;
  status_->phase = FollowerStatus::Phase::Syncing;
  std::uint64_t keys = 0;
  {
    const engine::Keyspace::Guard all = keyspace_.lock(engine::kAllStripes);
    for (std::uint32_t db = 0; db < keyspace_.databases(); ++db) keys += keyspace_.keys(Db{db});
  }
  const Replication::Place here = replication_.place();
  send(out, wire::SyncBegin{here.log, to_wire(here.history), sync_->lsn().bytes, keys});
  log_line_ = "needs everything: full synchronisation of " + std::to_string(keys) + " keys begins";
}

FollowerSession::Outcome FollowerSession::take_applied(const wire::Applied& applied, Instant now) {
  if (applied.taken < taken_ || applied.taken > frames_) return std::unexpected("it counts bytes that were not sent");
  taken_ = applied.taken;
  status_->heard_ms = now.ms;
  if (syncing()) return {};
  const Lsn confirmed{applied.lsn};
  if (confirmed > sent_) return std::unexpected("it confirms what was not sent");
  if (confirmed == Lsn{}) return {};  // it has dealt with bytes, and says no more than that
  status_->confirmed = applied.lsn;
  if (terms_.duties != nullptr) {
    terms_.duties->follower_applied(peer(), *terms_.term, {Term{applied.term}, confirmed}, applied.maxmemory);
  }
  return {};
}

FollowerSession::More FollowerSession::produce(std::size_t most, Instant now, ByteBuffer& out) {
  log_line_.clear();
  if (!streaming() || frames_ - taken_ >= kWindow) return More::No;
  if (log_ != replication_.log()) return More::Never;  // which has come to its end
  if (stage_ == Stage::Repairing) return produce_repair(most, out);
  return stage_ == Stage::Syncing ? produce_sync(most, out) : produce_log(most, now, out);
}

FollowerSession::More FollowerSession::produce_sync(std::size_t most, ByteBuffer& out) {
  const FullSync::State state = sync_->produce(records_, most);
  if (state == FullSync::State::Lost) return More::Never;
  status_->sync_keys = sync_->keys();
  for (ByteView rest = records_.view(); !rest.empty();) {
    const ByteView part = rest.substr(0, kMostRecords);
    send_data(out, wire::SyncData{part, sync_->lsn().bytes, sync_->keys()}, part.size());
    rest.remove_prefix(part.size());
  }
  records_.truncate(0);
  if (state == FullSync::State::More) return More::Yes;
  sent_ = sync_->lsn();
  sync_.reset();
  records_.release();
  stage_ = Stage::Online;
  status_->confirmed = 0;
  status_->phase = FollowerStatus::Phase::Online;
  send(out, wire::SyncEnd{sent_.bytes});
  return More::Yes;
}

FollowerSession::More FollowerSession::produce_log(std::size_t most, Instant now, ByteBuffer& out) {
  const Lsn end = log_->end();
  if (sent_ == end) return More::No;
  const std::shared_ptr<const LogSegment> segment = log_->segment_at(sent_);
  if (segment == nullptr) return More::Never;  // it is not kept any more, or a group was too large
  const Replication::Span span = replication_.term_at(sent_);
  ByteView records = segment->from(sent_).substr(0, std::min(most, kMostRecords));
  if (span.end) records = records.substr(0, *span.end - sent_);
  send_data(out, wire::Batch{.term = span.term.number, .lsn = sent_.bytes, .records = records, .time_ms = now.ms},
            records.size());
  sent_ = sent_ + records.size();
  return sent_ < log_->end() ? More::Yes : More::No;
}

void FollowerSession::ask_to_take_over(Lsn lsn, bool force, ByteBuffer& out) {
  asked_to_take_over_ = true;
  send(out, wire::TakeOver{lsn.bytes, force});
}

void FollowerSession::send_heartbeat(Instant now, ByteBuffer& out) {
  if (stage_ < Stage::Syncing) return;
  send(out, wire::Heartbeat{.term = replication_.term_at(sent_).term.number,
                            .leader = identity_.incarnation,
                            .follower = peer_.incarnation,
                            .lsn = log_->end().bytes,
                            .time_ms = now.ms});
}

}  // namespace magpie::server
