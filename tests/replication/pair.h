#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "protocol/wire/frame.h"
#include "server/replication/follower_session.h"
#include "server/replication/leader_session.h"
#include "tests/commands/test_server.h"
#include "tests/engine/random.h"
#include "tests/replication/log_reader.h"

namespace magpie::testing {

/// A server that can lead and follow.
struct Member {
  explicit Member(std::uint8_t number, std::size_t log_capacity = std::size_t{8} << 20) {
    identity.node = "node" + std::to_string(number);
    identity.incarnation.fill(number);
    server.state().replication.configure({.always = false, .log_capacity = log_capacity});
  }
  ~Member() {
    server.run("FLUSHALL");
    while (server.keyspace().free_some(1000) > 0) {  // lists that are gone, which a leak detector would find
    }
  }
  server::Replication& replication() { return server.state().replication; }
  void follow() {
    replication().follow({"127.0.0.1", 1});
    replication().stop_recording();
  }
  std::array<std::uint64_t, 2> digest() { return server.keyspace().digest(); }

  TestServer server;
  server::NodeIdentity identity;
};

/// Both have the same data, and the same log as far as both keep it.
inline void check_same(Member& leader, Member& follower) {
  CHECK(leader.digest() == follower.digest());
  const auto ours = leader.replication().log();
  const auto theirs = follower.replication().log();
  REQUIRE(ours != nullptr);
  REQUIRE(theirs != nullptr);
  CHECK(ours->end() == theirs->end());
  const Lsn from = std::max(ours->begin(), theirs->begin());
  CHECK(read_log(*ours, from) == read_log(*theirs, from));
  CHECK(leader.replication().position().id == follower.replication().position().id);
}

/// One side's end of a connection: what has come, and what is to be sent.
struct Pipe {
  ByteBuffer sent;  // to the other side
  ByteBuffer in;
  wire::MessageDecoder decoder;
  std::string error;

  /// Takes what has come, as a link does.
  template <class Take>
  void read(Take&& take) {
    std::size_t taken = 0;
    while (error.empty()) {
      const auto parsed = wire::parse_frame(in.view().substr(taken));
      if (std::holds_alternative<wire::NeedMore>(parsed)) break;
      const auto* frame = std::get_if<wire::Frame>(&parsed);
      REQUIRE(frame != nullptr);
      taken += frame->consumed;
      const auto message = decoder.decode(frame->payload);
      REQUIRE(message.has_value());
      if (auto done = take(*message, frame->consumed); !done) error = done.error();
    }
    in.consume(taken);
  }
};

/// A conversation of a follower with its leader, over pipes that tests pump.
class Conversation {
 public:
  Conversation(Member& leader, Member& follower) : Conversation(leader, follower, "", "") {}

  Conversation(Member& leader, Member& follower, const std::string& secret_there, const std::string& secret_here)
      : leader_(leader), follower_(follower) {
    to_follower_.emplace(leader.server.keyspace(), leader.replication(), leader.identity,
                         server::FollowerSession::Terms{secret_there, nonce(1), "127.0.0.1"});
    to_leader_.emplace(follower.server.keyspace(), follower.replication(), follower.identity,
                       server::LeaderSession::Terms{secret_here, nonce(2), ":7000"});
    to_leader_->begin(follower_pipe_.sent);
  }

  /// Lets the leader make about so many bytes; what became of that.
  server::FollowerSession::More produce(std::size_t most) {
    const auto more = to_follower_->produce(most, leader_.server.now(), leader_pipe_.sent);
    if (more == server::FollowerSession::More::Never) leader_pipe_.error = "fell behind";
    return more;
  }
  /// Brings up to so many bytes over, in each direction.
  void deliver(std::size_t most) {
    move(leader_pipe_.sent, follower_pipe_.in, most);
    follower_pipe_.read([&](const wire::Message& message, std::size_t frame) {
      auto taken = to_leader_->take(message, frame, follower_.server.now(), follower_pipe_.sent);
      note(to_leader_->log_line());
      return taken;
    });
    if (follower_pipe_.error.empty()) to_leader_->confirm(follower_pipe_.sent);
    move(follower_pipe_.sent, leader_pipe_.in, most);
    leader_pipe_.read([&](const wire::Message& message, std::size_t) {
      return to_follower_->take(message, leader_.server.now(), leader_pipe_.sent);
    });
  }
  /// Until the follower has all that the leader has. False if it ended with an error.
  bool settle() {
    constexpr std::size_t kMuch = std::size_t{1} << 20;
    for (int quiet = 0; quiet < 3 && error().empty();) {
      const bool more = produce(kMuch) == server::FollowerSession::More::Yes;
      quiet = more || !leader_pipe_.sent.empty() || !follower_pipe_.sent.empty() ? 0 : quiet + 1;
      deliver(kMuch);
    }
    return error().empty();
  }

  bool connected() const { return to_leader_->connected(); }
  bool was_full() const { return full_; }
  std::string error() const { return leader_pipe_.error.empty() ? follower_pipe_.error : leader_pipe_.error; }
  server::FollowerSession& leader_side() { return *to_follower_; }
  server::LeaderSession& follower_side() { return *to_leader_; }
  Pipe& leader_pipe() { return leader_pipe_; }
  Pipe& follower_pipe() { return follower_pipe_; }

 private:
  static wire::Nonce nonce(std::uint8_t number) {
    wire::Nonce nonce{};
    nonce.fill(number);
    return nonce;
  }
  static void move(ByteBuffer& from, ByteBuffer& to, std::size_t most) {
    const std::size_t now = std::min(most, from.size());
    to.append(from.view().substr(0, now));
    from.consume(now);
  }
  void note(const std::string& line) {
    if (line.starts_with("full synchronisation of")) full_ = true;
  }

  Member& leader_;
  Member& follower_;
  Pipe leader_pipe_;
  Pipe follower_pipe_;
  std::optional<server::FollowerSession> to_follower_;
  std::optional<server::LeaderSession> to_leader_;
  bool full_ = false;
};

}  // namespace magpie::testing
