#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cluster/replication/identity.h"
#include "cluster/replication/position.h"
#include "cluster/replication/term_history.h"
#include "server/engine/keyspace.h"
#include "server/replication/effect_log.h"
#include "server/replication/record.h"
#include "server/replication/status.h"
#include "server/replication/tenure.h"

namespace magpie::server {

/// A node's part in replication: whether it leads or follows, its log, and what is known of its peers. Any thread,
/// where nothing else is said. Locks of stripes are taken before its own.
class Replication {
 public:
  explicit Replication(engine::Keyspace& keyspace);
  ~Replication();
  Replication(const Replication&) = delete;
  Replication& operator=(const Replication&) = delete;

  struct Options {
    bool always = false;  // keep a log although there is no replica
    bool shard = false;   // an arbiter numbers the terms; at start only
    std::size_t log_capacity = 0;  // bytes
    std::size_t most_group = kMostRecord;  // bytes of a group's effects that may be a record
    std::size_t log_segment = LogSegment::kUsual;  // bytes of memory in which the log grows
  };
  /// Takes the locks of all stripes, so none may be held.
  void configure(const Options& options);

  // --- role ---

  struct Source {
    std::string host;
    std::int64_t port = 0;
    bool operator==(const Source&) const = default;
  };
  bool follows() const { return keyspace_.follows(); }
  /// It ends with the next change of the role.
  Tenure tenure() const { return Tenure(tenure_); }
  /// Nothing for a leader.
  std::optional<Source> source() const;
  /// From now on clients cannot write. Commands that other loops have begun may still change something, which is
  /// recorded: once they are done, stop_recording() is to be called, and only then data may come from the source.
  void follow(Source source);
  /// Until the next follow() or lead(): a source with another log is not to replace the data here.
  void keep_data() { keeps_data_.store(true); }
  bool keeps_data() const { return keeps_data_.load(); }
  /// Needs all stripes. From now on clients may write; the log goes on where the last leader's ended, in a new term.
  void lead();
  /// Of a shard, needs all stripes: leads from now on, in that term, whose first record is there at once. Data that is
  /// not complete is given up.
  void lead(Term term);
  void stop_recording();

  // --- log ---

  /// Null while nothing is kept.
  std::shared_ptr<EffectLog> log() const;
  /// A log is kept from now on, if it is not already: a follower has asked. Takes all stripes' locks.
  void keep_log();
  /// No follower has been there for long: the log goes, unless it is to be kept always. Takes all stripes' locks.
  void drop_log();
  // Those of a follower do nothing once its tenure is over.

  /// Of a follower whose data is going to be replaced: it has no place in any log.
  void forget_log(Tenure tenure);
  /// Of a follower whose data is now what a leader's log of this name and history makes up to `at`.
  void adopt_log(Tenure tenure, std::string name, cluster::TermHistory history, Lsn at);
  /// Of a follower: its leader's log has gone through other terms.
  void adopt_history(Tenure tenure, cluster::TermHistory history);
  /// Of a follower, under all stripes' locks: gives up the end of its log for that of a leader with this history.
  void cut_log(Tenure tenure, cluster::TermHistory history, Lsn at);

  /// Where the log ends, or the next one will begin.
  Lsn log_end() const;

  struct Place {
    std::string log;  // its name; empty: no place
    cluster::TermHistory history;
    Lsn end;
  };
  /// Up to where the data here is.
  Place place() const;

  /// In which this node writes, if it leads.
  Term term() const { return Term{term_.load(std::memory_order_relaxed)}; }
  /// What is written last here, and the term of that.
  cluster::LogPosition last() const;

  /// Whether the log reaches up to there, and what is written last up to there is of that term.
  bool has(Term term, Lsn lsn) const;
  /// The term of the record that begins there, and where the next term begins, if there is one.
  struct Span {
    Term term;
    std::optional<Lsn> end;
  };
  Span term_at(Lsn lsn) const;

  struct Position {
    Lsn end;  // of what has been recorded so far
    Lsn begin;  // from where on it is kept
    std::size_t memory = 0;  // bytes
    bool active = false;
    std::string id;  // 40 hex digits: the log and its last term
    std::string previous_id;  // and its term before; empty: there was none
    Lsn previous_end;  // where that ended
  };
  Position position() const;

  // --- FAILOVER ---

  enum class Failover : std::uint8_t { None, WaitsForSync, InProgress };
  Failover failover() const { return failover_.load(); }
  void set_failover(Failover state) { failover_.store(state); }
  /// False if there is one already.
  bool begin_failover() {
    Failover none = Failover::None;
    return failover_.compare_exchange_strong(none, Failover::WaitsForSync);
  }

  // --- peers ---

  void add_follower(std::shared_ptr<FollowerStatus> follower);
  void remove_follower(const FollowerStatus& follower);
  std::vector<std::shared_ptr<FollowerStatus>> followers() const;
  /// How many have confirmed the log up to there.
  std::int64_t confirmed_by(Lsn lsn) const;
  /// How many are online and were heard of in the last `most_lag_s` seconds.
  std::int64_t good_followers(std::int64_t most_lag_s, std::int64_t now_ms) const;
  /// Of a follower.
  LeaderStatus& leader() { return leader_; }
  const LeaderStatus& leader() const { return leader_; }

  /// The largest wall-clock time that a leader has told: a node's time for expiry is never before it (rule R20).
  std::int64_t leader_time_ms() const { return leader_time_ms_.load(std::memory_order_relaxed); }
  void note_leader_time(std::int64_t ms);

  /// Called once this thread has recorded something and there are followers: whoever sends the log is to be woken. Set
  /// before any loop runs.
  void on_recorded(std::function<void()> wake) { wake_ = std::move(wake); }
  void announce() {
    if (sending_.load(std::memory_order_relaxed) && !woken_.exchange(true, std::memory_order_acq_rel)) wake_();
  }
  /// By whoever sends the log, before it looks where the log ends.
  void sleep_again() { woken_.store(false, std::memory_order_release); }

 private:
  void make_log();
  void draw_term();
  void begin_term(Term term);
  void drop();
  void forget();

  engine::Keyspace& keyspace_;
  mutable std::mutex lock_;  // guards what follows; taken behind the stripes'
  Options options_;
  std::shared_ptr<EffectLog> log_;
  Lsn next_{1};  // where the next log begins
  std::string name_;
  cluster::TermHistory history_;
  std::optional<Source> source_;
  std::vector<std::shared_ptr<FollowerStatus>> followers_;

  LeaderStatus leader_;
  std::atomic<std::int64_t> leader_time_ms_{0};
  std::atomic<std::uint64_t> tenure_{0};
  std::atomic<std::uint64_t> term_{0};
  std::atomic<bool> keeps_data_{false};
  std::atomic<Failover> failover_{Failover::None};
  std::atomic<bool> sending_{false};
  std::atomic<bool> woken_{false};
  std::function<void()> wake_ = [] {};
};

}  // namespace magpie::server
