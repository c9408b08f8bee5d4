#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "protocol/byte_buffer.h"
#include "protocol/wire/messages.h"
#include "server/engine/keyspace.h"
#include "server/replication/compression.h"
#include "server/replication/full_sync.h"
#include "server/replication/node_identity.h"
#include "server/replication/replication.h"
#include "server/replication/shard_duties.h"
#include "server/replication/tail_repair.h"

namespace magpie::server {

/// A conversation with a node that follows this one, from the leader's side: greets, decides whether the log is enough
/// or everything has to be sent, and sends it. Without sockets and clocks. One thread; takes the stripes' locks by
/// itself.
class FollowerSession {
 public:
  /// Of a refusal that will come until somebody leads.
  static constexpr const char* kNotLeader = "this node does not lead its shard";
  struct Terms {
    std::string secret;  // that both must know; empty: none
    wire::Nonce nonce{};  // drawn for this conversation
    std::string peer_address;  // without port
    /// In a shard: the term that this node leads; nothing: it does not.
    ShardDuties* duties = nullptr;
    std::optional<Term> term = std::nullopt;
    Compression compression = {};
  };
  FollowerSession(engine::Keyspace& keyspace, Replication& replication, const NodeIdentity& identity, Terms terms);
  ~FollowerSession();
  FollowerSession(const FollowerSession&) = delete;
  FollowerSession& operator=(const FollowerSession&) = delete;

  /// Takes a message and appends what it answers, as frames. A refusal ends the conversation; it has been appended too.
  std::expected<void, std::string> take(const wire::Message& message, Instant now, ByteBuffer& out);

  enum class More : std::uint8_t {
    No,  // until the log grows or the follower confirms
    Yes,
    Never  // the follower has fallen too far behind: the conversation is over
  };
  /// Appends frames with what the follower does not have, about `most` bytes.
  More produce(std::size_t most, Instant now, ByteBuffer& out);
  /// Asks the follower, which has the log up to there, to lead from now on; it answers with TookOver.
  void ask_to_take_over(Lsn lsn, bool force, ByteBuffer& out);
  enum class TakenOver : std::uint8_t { Unknown, Yes, No };
  TakenOver taken_over() const { return taken_over_; }
  /// Tells the time, which also shows that this side lives.
  void send_heartbeat(Instant now, ByteBuffer& out);

  bool streaming() const { return syncing() || stage_ == Stage::Online; }
  /// It gets everything, or keys as they are here.
  bool syncing() const { return stage_ == Stage::Syncing || stage_ == Stage::Repairing; }
  /// To be told of the link. What it asks for is done where the follower understands it.
  Compression& compression() { return terms_.compression; }
  /// Null before the follower has told who it is.
  const std::shared_ptr<FollowerStatus>& status() const { return status_; }
  /// Where the log goes on that has not been sent.
  Lsn sent() const { return sent_; }
  const std::string& log_line() const { return log_line_; }

 private:
  enum class Stage : std::uint8_t { Hello, Follow, Touched, Repairing, Syncing, Online };
  using Outcome = std::expected<void, std::string>;

  Outcome refuse(wire::RefusalCode code, std::string reason, ByteBuffer& out);
  Outcome take_hello(const wire::Hello& hello, Instant now, ByteBuffer& out);
  Outcome take_follow(const wire::Follow& follow, ByteBuffer& out);
  cluster::Member peer() const { return {{peer_.node}, {peer_.incarnation}}; }
  Outcome take_applied(const wire::Applied& applied, Instant now);
  Outcome take_touched(const wire::Touched& touched, ByteBuffer& out);
  std::optional<Lsn> common_with(const wire::Follow& follow, const Replication::Place& here) const;
  void resume(Lsn at, const Replication::Place& here, ByteBuffer& out);
  void begin_sync(ByteBuffer& out);
  More produce_repair(std::size_t most, ByteBuffer& out);
  More produce_sync(std::size_t most, ByteBuffer& out);
  More produce_log(std::size_t most, Instant now, ByteBuffer& out);
  void send(ByteBuffer& out, const wire::Message& message);
  void send_data(ByteBuffer& out, const wire::Message& message, std::size_t bytes);

  engine::Keyspace& keyspace_;
  Replication& replication_;
  const NodeIdentity& identity_;
  Terms terms_;
  Stage stage_ = Stage::Hello;
  bool asked_to_take_over_ = false;
  TakenOver taken_over_ = TakenOver::Unknown;
  wire::Hello peer_;
  wire::Welcome welcome_;
  std::shared_ptr<FollowerStatus> status_;
  std::shared_ptr<EffectLog> log_;
  std::optional<FullSync> sync_;
  std::optional<KeyStates> states_;
  ByteBuffer records_;
  Lsn sent_;
  std::uint64_t frames_ = 0;  // bytes sent,
  std::uint64_t taken_ = 0;  // of which the follower has dealt with so many
  std::string log_line_;  // what the last call led to, for the node's log; empty: nothing
};

}  // namespace magpie::server
