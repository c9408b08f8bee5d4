#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "protocol/wire/arbiter_messages.h"

namespace magpie::arbiter {

// How a node and an arbiter get to know each other: hello, welcome, login. Each proves to the other that it knows the
// secret, over nonces of both. No I/O; one thread.

inline constexpr std::uint32_t kOldestVersion = 1;
inline constexpr std::uint32_t kNewestVersion = 1;

/// What both sides have to have in common.
struct Identity {
  std::string cluster;
  std::string secret;  // may be empty
};

/// Random bytes that no other link has had.
wire::Nonce draw_nonce();

class ArbiterHandshake {
 public:
  /// `identity` must outlive it.
  ArbiterHandshake(const Identity& identity, wire::Nonce nonce) : identity_(identity), nonce_(nonce) {}

  std::expected<wire::arbiter::Welcome, wire::arbiter::Refusal> greet(const wire::arbiter::Hello& hello);
  /// After greet().
  std::expected<void, wire::arbiter::Refusal> check(const wire::arbiter::Login& login) const;

 private:
  const Identity& identity_;
  wire::Nonce nonce_;
  wire::Nonce node_nonce_{};
  std::uint32_t version_ = 0;
};

class NodeHandshake {
 public:
  NodeHandshake(const Identity& identity, wire::Nonce nonce) : identity_(identity), nonce_(nonce) {}

  wire::arbiter::Hello hello(const std::string& node) const;
  /// The error says why this is not the arbiter it should be.
  std::expected<wire::arbiter::Login, std::string> log_in(const wire::arbiter::Welcome& welcome,
                                                          std::uint64_t highest_term) const;

 private:
  const Identity& identity_;
  wire::Nonce nonce_;
};

}  // namespace magpie::arbiter
