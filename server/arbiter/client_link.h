#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/arbiter/store.h"
#include "cluster/replication/position.h"
#include "protocol/output_buffer.h"
#include "protocol/wire/arbiter_messages.h"
#include "server/arbiter/frame_input.h"
#include "server/arbiter/handshake.h"
#include "server/arbiter/log_line.h"
#include "server/net/stream.h"

namespace magpie::arbiter {

/// A client's connection, at the arbiter. What it is sent is held until release(), because what it tells has to be on
/// the disk first. Loop's thread only.
class ClientLink final : net::StreamHandler {
 public:
  /// What it needs of the arbiter. Outlives the link.
  class Owner {
   public:
    virtual const Identity& identity() const = 0;
    virtual const cluster::Store& store() const = 0;
    /// Whether a node that knows the secret and has seen that term is answered.
    virtual std::expected<void, wire::arbiter::Refusal> admit(const std::string& node, Term highest) = 0;
    /// May call changed() of this and other links.
    virtual std::expected<cluster::TransactionResult, cluster::ArbiterError> transact(
        const cluster::Transaction& transaction) = 0;
    virtual void log(LogLevel level, const LogLine& line) = 0;
    virtual void log_refusal(const std::string& node, const std::string& address, const std::string& reason) = 0;

   protected:
    ~Owner() = default;
  };

  using Clock = std::chrono::steady_clock;

  /// Takes over the socket.
  ClientLink(net::Loop& loop, int fd, Owner& owner);

  /// Tells its watches, with release().
  void changed(cluster::Revision revision, const std::vector<cluster::Transaction::Write>& changes);
  /// Says why and ends, with release().
  void refuse(const wire::arbiter::Refusal& refusal);
  /// Sends what is held.
  void release();
  /// Ends it if its client has been silent for too long.
  void look(Clock::time_point now);
  /// Ends it without a word; the reason is for the log.
  void end(std::string_view reason);
  /// Then it is of no use any more, and may be destroyed outside of its own calls.
  bool ended() const { return phase_ == Phase::Ended; }

 private:
  enum class Phase : std::uint8_t { Hello, Login, Open, Refused, Ended };

  std::span<char> read_buffer() override { return input_.space(); }
  void on_read(std::size_t bytes) override;
  void on_end(const char* error) override;
  void on_drained() override;

  void send(const wire::arbiter::Message& message) { append_message(held_.own(), message); }
  void handle(const wire::arbiter::Hello& hello);
  void handle(const wire::arbiter::Login& login);
  void handle(wire::arbiter::Read& read);
  void handle(wire::arbiter::Transact& transact);
  void handle(const wire::arbiter::Watch& watch);
  void handle(const wire::arbiter::Unwatch& unwatch);
  template <class Other>
  void handle(const Other&) {
    end("it sent a message that is for clients");
  }
  bool is(Phase phase);
  void tell(std::uint64_t watch, cluster::Arbiter::Change change);

  Owner& owner_;
  ArbiterHandshake handshake_;
  Phase phase_ = Phase::Hello;
  std::string node_;
  std::string address_;
  Clock::time_point began_ = Clock::now();
  Clock::time_point heard_ = began_;
  FrameInput input_;
  OutputBuffer held_;
  std::map<std::uint64_t, std::string> watches_;  // id, prefix
  net::Stream stream_;
};

}  // namespace magpie::arbiter
