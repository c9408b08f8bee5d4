#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/output_buffer.h"
#include "server/arbiter/frame_input.h"
#include "server/arbiter/handshake.h"
#include "server/net/listener.h"
#include "server/net/stream.h"

namespace magpie::testing {

/// An arbiter that accepts everybody and then does what the test says, on the loop of the test.
class FakeArbiter {
 public:
  explicit FakeArbiter(net::Loop& loop) : loop_(loop) {
    auto listener = net::Listener::tcp(loop, "127.0.0.1", 0, 16, [this](int fd) {
      connections_.push_back(std::make_unique<Connection>(loop_, fd, *this));
    });
    REQUIRE(listener.has_value());
    listener_ = std::move(*listener);
  }
  int port() const { return listener_->port(); }

  void send(const wire::arbiter::Message& message) { connections_.back()->send(message); }
  void hang_up() { connections_.back()->stream.close(); }
  std::size_t connections() const { return connections_.size(); }

  /// Gets what comes on any connection once it is accepted.
  std::function<void(const wire::arbiter::Message&)> on_message = [](const wire::arbiter::Message&) {};

 private:
  struct Connection final : net::StreamHandler {
    Connection(net::Loop& loop, int fd, FakeArbiter& arbiter) : owner(arbiter), stream(loop, fd, *this) {
      stream.start_reading();
    }
    void send(const wire::arbiter::Message& message) {
      append_message(output.own(), message);
      stream.write(output);
    }
    std::span<char> read_buffer() override { return input.space(); }
    void on_read(std::size_t bytes) override {
      input.filled(bytes);
      while (!stream.closed()) {
        const auto payload = input.next(wire::kMostFrame);
        if (!payload.value()) return;
        const auto message = wire::arbiter::decode_message(**payload).value();
        if (const auto* const hello = std::get_if<wire::arbiter::Hello>(&message)) {
          send(handshake.greet(*hello).value());
        } else if (std::holds_alternative<wire::arbiter::Login>(message)) {
          send(wire::arbiter::Accepted{});
        } else {
          owner.on_message(message);
        }
      }
    }
    void on_end(const char* /*error*/) override { stream.close(); }
    void on_drained() override {}

    FakeArbiter& owner;
    arbiter::Identity identity{"cluster", "secret"};
    arbiter::ArbiterHandshake handshake{identity, arbiter::draw_nonce()};
    arbiter::FrameInput input;
    OutputBuffer output;
    net::Stream stream;
  };

  net::Loop& loop_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::optional<net::Listener> listener_;
};

}  // namespace magpie::testing
