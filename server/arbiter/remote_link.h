#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "protocol/output_buffer.h"
#include "protocol/wire/arbiter_messages.h"
#include "server/arbiter/frame_input.h"
#include "server/arbiter/handshake.h"
#include "server/net/connector.h"
#include "server/net/stream.h"
#include "server/net/timer.h"

namespace magpie::arbiter {

/// One connection to an arbiter, from looking up its name to its end. Loop's thread only.
class RemoteLink final : net::StreamHandler {
 public:
  /// Hears of it until close(), never from inside the constructor. It must not destroy the link inside these calls.
  class Owner {
   public:
    /// Asked when it is told to the arbiter.
    virtual std::uint64_t highest_term() = 0;
    /// Requests may be sent now.
    virtual void opened() = 0;
    virtual void received(wire::arbiter::Message& message) = 0;
    /// The last call.
    virtual void lost(const std::string& why) = 0;

   protected:
    ~Owner() = default;
  };
  struct Endpoint {
    std::string host;
    int port = 0;
  };

  /// `identity` and the owner outlive it, or it is closed before they go.
  RemoteLink(net::Loop& loop, const Endpoint& endpoint, const Identity& identity, std::string node, Owner& owner);

  bool open() const { return phase_ == Phase::Open; }
  void send(const wire::arbiter::Message& message);
  void close();

 private:
  enum class Phase : std::uint8_t { Connecting, Welcome, Accepted, Open, Closed };

  std::span<char> read_buffer() override { return input_.space(); }
  void on_read(std::size_t bytes) override;
  void on_end(const char* error) override;
  void on_drained() override {}

  void connected(int fd);
  void handle(wire::arbiter::Message& message);
  void log_in(const wire::arbiter::Welcome& welcome);
  void fail(const std::string& why);

  net::Loop& loop_;
  NodeHandshake handshake_;
  std::string node_;
  Owner& owner_;
  Phase phase_ = Phase::Connecting;
  FrameInput input_;
  OutputBuffer output_;
  net::Timer deadline_;
  std::optional<net::Connector> connector_;
  std::optional<net::Stream> stream_;
};

}  // namespace magpie::arbiter
