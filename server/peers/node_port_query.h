#pragma once

#include <expected>
#include <functional>
#include <string>

#include "protocol/byte_buffer.h"
#include "server/net/stream.h"

namespace magpie::server {

/// Asks a server, at its client port, for the port that other nodes use: by INFO, after AUTH if there is a password.
/// The loop's thread only.
class NodePortQuery final : private net::StreamHandler {
 public:
  struct Password {
    std::string user;  // empty: the default one
    std::string password;  // empty: none is sent
  };
  /// Gets the port, or why there is none. Once; may destroy the query.
  using OnDone = std::move_only_function<void(std::expected<int, std::string>)>;

  /// Takes over a connected socket.
  NodePortQuery(net::Loop& loop, int fd, const Password& password, OnDone on_done);

 private:
  std::span<char> read_buffer() override;
  void on_read(std::size_t bytes) override;
  void on_end(const char* error) override;
  void on_drained() override {}

  void done(std::expected<int, std::string> port);
  bool take_replies();

  OnDone on_done_;
  bool waits_for_auth_;
  ByteBuffer in_;
  net::Stream stream_;
};

}  // namespace magpie::server
