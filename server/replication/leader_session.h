#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "protocol/byte_buffer.h"
#include "protocol/wire/messages.h"
#include "server/engine/keyspace.h"
#include "server/replication/applier.h"
#include "server/replication/node_identity.h"
#include "server/replication/replication.h"
#include "server/replication/shard_duties.h"
#include "server/replication/tail_repair.h"

namespace magpie::server {

/// A conversation with the node that this one follows, from the follower's side: asks for the log from where it is, and
/// applies what comes. Without sockets and clocks. One thread; takes the stripes' locks by itself.
class LeaderSession {
 public:
  struct Terms {
    std::string secret;  // that both must know; empty: none
    wire::Nonce nonce{};  // drawn for this conversation
    std::string client_address;  // host:port that clients of this node use
    /// In a shard: who must be at the other end, leading that term.
    struct Shard {
      ShardDuties* duties = nullptr;
      cluster::Member leader;
      Term term;
      bool may_discard = false;  // the data here, for all of the leader's
    };
    std::optional<Shard> shard = std::nullopt;
  };
  LeaderSession(engine::Keyspace& keyspace, Replication& replication, const NodeIdentity& identity, Terms terms);

  /// Appends the first message, as a frame.
  void begin(ByteBuffer& out);
  /// Takes a message, of which `frame` bytes came, and appends what it answers. An error ends the conversation.
  std::expected<void, std::string> take(const wire::Message& message, std::size_t frame, Instant now, ByteBuffer& out);
  /// After some messages: appends what has been applied, if that has changed.
  void confirm(ByteBuffer& out);
  /// Called when the data here is about to be replaced: whoever follows this node has to begin anew.
  void on_replacing(std::function<void()> call) { replacing_ = std::move(call); }

  /// Called when the leader hands over: from then on this node has to lead. False if it does not.
  void on_take_over(std::function<bool()> call) { take_over_ = std::move(call); }

  bool connected() const { return stage_ == Stage::Online; }
  const std::string& log_line() const { return log_line_; }

 private:
  enum class Stage : std::uint8_t { Welcome, Answer, Syncing, Online };
  using Outcome = std::expected<void, std::string>;

  static Outcome out_of_turn();
  template <class Take>
  Outcome in(Stage stage, Take take);
  wire::Hello hello() const;
  bool tenure_over() const { return !tenure_.holds(); }
  Outcome check_leader(const wire::Welcome& welcome) const;
  Outcome check_term(const wire::History& history) const;
  Outcome may_replace(const std::string& log);
  Outcome heard() const;
  Outcome take_welcome(const wire::Welcome& welcome, ByteBuffer& out);
  Outcome take_resume(const wire::Resume& resume, Instant now);
  Outcome take_diverged(const wire::Diverged& diverged, ByteBuffer& out);
  Outcome take_repair_data(const wire::RepairData& data);
  Outcome go_on_with_repair(Instant now);
  Outcome install_repair(Instant now);
  Outcome take_sync_begin(const wire::SyncBegin& begin, Instant now);
  Outcome take_sync_data(const wire::SyncData& data, Instant now);
  Outcome take_sync_end(const wire::SyncEnd& end, Instant now);
  Outcome take_batch(const wire::Batch& batch, Instant now);
  Outcome take_heartbeat(const wire::Heartbeat& heartbeat);
  Outcome take_over(const wire::TakeOver& order, ByteBuffer& out);
  bool may_tell() const;

  engine::Keyspace& keyspace_;
  Replication& replication_;
  const NodeIdentity& identity_;
  Terms terms_;
  Tenure tenure_;
  std::function<void()> replacing_ = [] {};
  std::function<bool()> take_over_ = [] { return false; };
  Stage stage_ = Stage::Welcome;
  wire::Hello hello_;
  wire::Incarnation leader_{};
  Applier applier_;
  std::shared_ptr<EffectLog> log_;
  std::string log_name_;  // of the leader's
  /// What has come to repair the end of the log, which is given up from `from` on: keys as they are up to `until`, and
  /// the leader's log. It is kept aside until that is there up to `until`; what is here counts until then (rule R12).
  struct Repairing {
    Lsn from;
    ReceivedStates states;
    ByteBuffer records;
  };
  std::optional<Repairing> repairing_;
  wire::History history_;
  Lsn received_;  // of the log; may end within a record
  std::uint64_t frames_ = 0;  // bytes of frames dealt with
  std::uint64_t told_frames_ = 0;
  Lsn told_;
  std::string log_line_;  // what the last message led to, for the node's log; empty: nothing
};

}  // namespace magpie::server
