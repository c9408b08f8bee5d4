#include "server/replication/leader_session.h"

#include <algorithm>
#include <utility>

#include "protocol/printable.h"
#include "server/replication/wire_history.h"

namespace magpie::server {
namespace {

template <class... Calls>
struct Overloaded : Calls... {
  using Calls::operator()...;
};

}  // namespace

using Phase = LeaderStatus::Phase;

LeaderSession::LeaderSession(engine::Keyspace& keyspace, Replication& replication, const NodeIdentity& identity,
                             Terms terms)
    : keyspace_(keyspace),
      replication_(replication),
      identity_(identity),
      terms_(std::move(terms)),
      tenure_(replication.tenure()),
      hello_(hello()),
      applier_(keyspace, tenure_) {}

void LeaderSession::begin(ByteBuffer& out) { append_message(out, hello_); }

wire::Hello LeaderSession::hello() const {
  return {.oldest_version = kOldestVersion,
          .newest_version = kNewestVersion,
          .cluster = identity_.cluster,
          .node = identity_.node,
          .incarnation = identity_.incarnation,
          .nonce = terms_.nonce,
          .purpose = wire::Purpose::Follow,
          .client_address = terms_.client_address};
}

LeaderSession::Outcome LeaderSession::take(const wire::Message& message, std::size_t frame, Instant now,
                                           ByteBuffer& out) {
  log_line_.clear();
  frames_ += frame;
  if (tenure_over()) return std::unexpected("this node has another role now");
  if (stage_ > Stage::Welcome) {
    if (auto goes_on = heard(); !goes_on) return goes_on;
  }
  replication_.leader().heard_ms = now.ms;
  return std::visit(
      Overloaded{
          [&](const wire::Refusal& one) -> Outcome { return std::unexpected("it refuses: " + printable(one.reason)); },
          [&](const wire::Welcome& one) { return in(Stage::Welcome, [&] { return take_welcome(one, out); }); },
          [&](const wire::Resume& one) { return in(Stage::Answer, [&] { return take_resume(one, now); }); },
          [&](const wire::Diverged& one) { return in(Stage::Answer, [&] { return take_diverged(one, out); }); },
          [&](const wire::RepairData& one) { return in(Stage::Answer, [&] { return take_repair_data(one); }); },
          [&](const wire::SyncBegin& one) { return in(Stage::Answer, [&] { return take_sync_begin(one, now); }); },
          [&](const wire::SyncData& one) { return in(Stage::Syncing, [&] { return take_sync_data(one, now); }); },
          [&](const wire::SyncEnd& one) { return in(Stage::Syncing, [&] { return take_sync_end(one, now); }); },
          [&](const wire::Batch& one) { return in(Stage::Online, [&] { return take_batch(one, now); }); },
          [&](const wire::TakeOver& one) { return in(Stage::Online, [&] { return take_over(one, out); }); },
          [&](const wire::Heartbeat& one) { return take_heartbeat(one); }, [&](const auto&) { return out_of_turn(); }},
      message);
}

LeaderSession::Outcome LeaderSession::out_of_turn() { return std::unexpected("it sent what must not come now"); }

template <class Take>
LeaderSession::Outcome LeaderSession::in(Stage stage, Take take) {
  return stage_ == stage ? take() : out_of_turn();
}

/// In a shard, of any frame: it shows that the leader lives, and it must not be of an old one.
LeaderSession::Outcome LeaderSession::heard() const {
  if (!terms_.shard || terms_.shard->duties->leader_heard(terms_.shard->term, terms_.shard->leader)) return {};
  return std::unexpected("it leads no longer");
}

LeaderSession::Outcome LeaderSession::check_leader(const wire::Welcome& welcome) const {
  if (!terms_.shard) return {};
  const cluster::Member there{{welcome.node}, {welcome.incarnation}};
  terms_.shard->duties->peer_seen(there);
  if (there == terms_.shard->leader) return {};
  return std::unexpected("it is not who leads the shard: " + welcome.node + " has begun anew");
}

LeaderSession::Outcome LeaderSession::check_term(const wire::History& history) const {
  if (!terms_.shard || (!history.empty() && history.back().term == terms_.shard->term.number)) return {};
  return std::unexpected("it does not lead term " + std::to_string(terms_.shard->term.number));
}

LeaderSession::Outcome LeaderSession::take_welcome(const wire::Welcome& welcome, ByteBuffer& out) {
  if (welcome.version < kOldestVersion || welcome.version > kNewestVersion) {
    return std::unexpected("it speaks version " + std::to_string(welcome.version) + " of the protocol between nodes");
  }
  if (welcome.incarnation == identity_.incarnation) return std::unexpected("it is this node itself");
  if (!wire::same_proof(welcome.proof, prove(terms_.secret, "leader", hello_, welcome))) {
    return std::unexpected(kOtherSecret);
  }
  if (auto fits = check_leader(welcome); !fits) return fits;
  leader_ = welcome.incarnation;
  stage_ = Stage::Answer;
  const Replication::Place here = replication_.place();
  append_message(out, wire::Follow{.proof = prove(terms_.secret, "follower", hello_, welcome),
                                   .log = here.log,
                                   .history = to_wire(here.history),
                                   .lsn = here.end.bytes,
                                   .databases = keyspace_.databases()});
  return {};
}

LeaderSession::Outcome LeaderSession::take_resume(const wire::Resume& resume, Instant now) {
  log_ = replication_.log();
  if (log_ == nullptr) return std::unexpected("it goes on where this node is not");
  if (auto fits = check_term(resume.history); !fits) return fits;
  history_ = resume.history;
  const Lsn at{resume.lsn};
  log_line_ = "partial synchronisation: the log goes on at " + std::to_string(resume.lsn);
  if (at != (repairing_ ? repairing_->from : log_->end())) {
    return std::unexpected("it goes on where this node is not");
  }
  applier_.use_log(log_.get());
  received_ = at;
  stage_ = Stage::Online;
  replication_.leader().phase = Phase::Connected;
  if (repairing_) return go_on_with_repair(now);
  replication_.adopt_history(tenure_, from_wire(resume.history));
  return {};
}

/// The leader's log and this one part there.
LeaderSession::Outcome LeaderSession::take_diverged(const wire::Diverged& diverged, ByteBuffer& out) {
  log_ = replication_.log();
  const Lsn from{diverged.lsn};
  if (log_ == nullptr || from > log_->end()) return std::unexpected("it speaks of a log that is not here");
  constexpr std::size_t kMostTail = std::size_t{16} << 20;
  const std::optional<ByteBuffer> touched = touched_keys(*log_, from, keyspace_.databases(), kMostTail);
  if (!touched) {
    append_message(out, wire::Touched{{}, true, true});
    return {};
  }
  repairing_.emplace(Repairing{from, {}, {}});
  constexpr std::size_t kPart = std::size_t{256} << 10;
  ByteView rest = touched->view();
  do {
    const ByteView part = rest.substr(0, kPart);
    rest.remove_prefix(part.size());
    append_message(out, wire::Touched{part, rest.empty(), false});
  } while (!rest.empty());
  return {};
}

LeaderSession::Outcome LeaderSession::take_repair_data(const wire::RepairData& data) {
  constexpr std::size_t kMost = std::size_t{256} << 20;
  if (!repairing_ || repairing_->states.size() > kMost) return out_of_turn();
  repairing_->states.append(data.records, Lsn{data.lsn});
  return {};
}

LeaderSession::Outcome LeaderSession::go_on_with_repair(Instant now) {
  constexpr std::size_t kMost = std::size_t{256} << 20;
  if (repairing_->records.size() > kMost) return std::unexpected("too much of its log has come to repair this one");
  return received_ < repairing_->states.until() ? Outcome{} : install_repair(now);
}

/// In one step: before it this node has all of its old log, behind it the leader's.
LeaderSession::Outcome LeaderSession::install_repair(Instant now) {
  replacing_();
  const engine::Keyspace::Guard all = keyspace_.lock(engine::kAllStripes);
  if (tenure_over()) return std::unexpected("this node has another role now");
  const Repairing repairing = *std::exchange(repairing_, std::nullopt);
  const std::uint64_t given_up = log_->end() - repairing.from;
  replication_.cut_log(tenure_, from_wire(history_), repairing.from);
  Repair repair;
  Outcome installed;
  if (!repairing.states.install(keyspace_, now, repair)) {
    installed = std::unexpected("it sent something else than the state of keys");
  } else {
    installed = applier_.take_behind(repair, repairing.records.view(), now);
  }
  if (!installed) replication_.forget_log(tenure_);  // the data is nobody's any more: only all of the leader's will do
  log_line_ = "the end of the log here, " + std::to_string(given_up) + " bytes, is given up and " +
              std::to_string(repair.keys()) + " keys are fetched";
  return installed;
}

/// Whether the leader's data may come in place of what is here.
LeaderSession::Outcome LeaderSession::may_replace(const std::string& log) {
  if (terms_.shard && !terms_.shard->may_discard) {
    terms_.shard->duties->wants_discard();
    return std::unexpected(
        "all data has to come anew, and the arbiter has to know before that this node's is given up");
  }
  if (!replication_.keeps_data() || log == replication_.place().log) return {};
  return std::unexpected(
      "its data is another's, perhaps it began anew; this node keeps its own: REPLICAOF NO ONE makes it lead again, "
      "REPLICAOF NO ONE and then REPLICAOF that node gives its data up");
}

LeaderSession::Outcome LeaderSession::take_sync_begin(const wire::SyncBegin& begin, Instant now) {
  if (auto fits = check_term(begin.history); !fits) return fits;
  if (auto may = may_replace(begin.log); !may) return may;
  repairing_.reset();
  replacing_();
  replication_.forget_log(tenure_);
  log_name_ = begin.log;
  history_ = begin.history;
  {
    const engine::Keyspace::Guard all = keyspace_.lock(engine::kAllStripes);
    if (tenure_over()) return std::unexpected("this node has another role now");
    replication_.leader().incomplete = true;
    keyspace_.replay(engine::Flush{}, now);
  }
  stage_ = Stage::Syncing;
  LeaderStatus& status = replication_.leader();
  status.sync_began_ms = now.ms;
  status.sync_total = begin.keys;
  status.sync_keys = 0;
  status.sync_bytes = 0;
  status.phase = Phase::Syncing;
  log_line_ = "full synchronisation of about " + std::to_string(begin.keys) + " keys begins";
  return {};
}

LeaderSession::Outcome LeaderSession::take_sync_data(const wire::SyncData& data, Instant now) {
  LeaderStatus& status = replication_.leader();
  status.sync_keys = data.keys;
  status.sync_bytes += data.records.size();
  return applier_.take(data.records, now);
}

LeaderSession::Outcome LeaderSession::take_sync_end(const wire::SyncEnd& end, Instant now) {
  if (!applier_.at_border()) return std::unexpected("the full synchronisation ended within a record");
  received_ = Lsn{end.lsn};
  replication_.adopt_log(tenure_, log_name_, from_wire(history_), received_);
  log_ = replication_.log();
  applier_.use_log(log_.get());
  stage_ = Stage::Online;
  LeaderStatus& status = replication_.leader();
  status.incomplete = false;
  status.phase = Phase::Connected;
  const std::int64_t took = now.ms - status.sync_began_ms;
  log_line_ = "full synchronisation done: " + std::to_string(status.sync_keys) + " keys, " +
              std::to_string(status.sync_bytes) + " bytes in " + std::to_string(took) + " ms";
  return {};
}

LeaderSession::Outcome LeaderSession::take_batch(const wire::Batch& batch, Instant now) {
  if (Lsn{batch.lsn} != received_) {
    return std::unexpected("a part of the log is missing: " + std::to_string(received_.bytes) + " to " +
                           std::to_string(batch.lsn));
  }
  replication_.note_leader_time(batch.time_ms);
  if (history_.empty() || batch.term > history_.back().term) {
    history_.push_back({batch.term, batch.lsn});
    if (!repairing_) replication_.adopt_history(tenure_, from_wire(history_));
  }
  received_ = received_ + batch.records.size();
  if (repairing_) {
    repairing_->records.append(batch.records);
    return go_on_with_repair(now);
  }
  auto applied = applier_.take(batch.records, now);
  if (!applied) replication_.forget_log(tenure_);  // the data is not the leader's any more: only all of it will do
  return applied;
}

LeaderSession::Outcome LeaderSession::take_heartbeat(const wire::Heartbeat& heartbeat) {
  if (stage_ <= Stage::Answer) return out_of_turn();
  if (heartbeat.leader != leader_ || heartbeat.follower != identity_.incarnation) {
    return std::unexpected("it sent a heartbeat of another node, or for one");
  }
  replication_.note_leader_time(heartbeat.time_ms);
  return {};
}

LeaderSession::Outcome LeaderSession::take_over(const wire::TakeOver& order, ByteBuffer& out) {
  const Lsn here = log_->end();
  const bool complete = !repairing_ && !replication_.leader().incomplete;
  if ((here < Lsn{order.lsn} && !order.force) || !complete || !take_over_()) {
    append_message(out, wire::TookOver{here.bytes, true});
    log_line_ = "it hands over, but this node cannot take over: not all has come";
    return {};
  }
  append_message(out, wire::TookOver{here.bytes});
  log_line_ = "it hands over: this node leads from " + std::to_string(here.bytes) + " on";
  return {};
}

void LeaderSession::confirm(ByteBuffer& out) {
  if ((stage_ < Stage::Syncing && !repairing_) || tenure_over()) return;
  const bool told = may_tell();
  const cluster::LogPosition last = stage_ == Stage::Online && told ? replication_.last() : cluster::LogPosition{};
  if (last.lsn == told_ && frames_ == told_frames_) return;
  const std::uint64_t maxmemory = terms_.shard ? terms_.shard->duties->maxmemory() : 0;
  told_ = last.lsn;
  told_frames_ = frames_;
  append_message(out, wire::Applied{last.term.number, last.lsn.bytes, frames_, maxmemory});
}

/// Until its end is repaired the log is not the leader's.
bool LeaderSession::may_tell() const {
  return !repairing_ && (!terms_.shard || terms_.shard->duties->may_confirm(terms_.shard->term));
}

}  // namespace magpie::server
