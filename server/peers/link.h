#pragma once

#include <cstddef>
#include <expected>
#include <string>

#include "protocol/byte_buffer.h"
#include "protocol/output_buffer.h"
#include "protocol/wire/messages.h"
#include "server/net/stream.h"

namespace magpie::server {

/// What a link tells its owner, on the loop's thread. The owner may destroy the link inside on_end() only.
class LinkOwner {
 public:
  /// A message of `frame` bytes, borrowed for the call. An error ends the link, with on_end().
  virtual std::expected<void, std::string> on_message(const wire::Message& message, std::size_t frame) = 0;
  /// All that had arrived has been told.
  virtual void on_caught_up() = 0;
  /// All that was sent has been handed to the kernel.
  virtual void on_drained() = 0;
  /// It is over: the peer closed it, it failed, or what came was wrong.
  virtual void on_end(const std::string& why) = 0;

 protected:
  ~LinkOwner() = default;
};

/// A connection between two nodes that carries messages. The loop's thread only.
class Link final : private net::StreamHandler {
 public:
  /// Takes over a connected socket.
  Link(net::Loop& loop, int fd, LinkOwner& owner);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Frames to be sent; flush() sends them.
  ByteBuffer& out() { return out_.own(); }
  void flush();
  /// What comes is for somebody else to read, who has another name of the socket.
  void stop_reading() { stream_.stop_reading(); }
  int fd() const { return stream_.fd(); }
  /// What on_end() tells where the other side closed.
  static constexpr const char* kClosedByPeer = "the other side closed the connection";
  /// Whether the kernel has not taken all that was sent.
  bool congested() const { return stream_.pending_bytes() > 0; }
  std::string peer_address() const { return stream_.peer_address(); }

 private:
  std::span<char> read_buffer() override;
  void on_read(std::size_t bytes) override;
  void on_end(const char* error) override;
  void on_drained() override { owner_.on_drained(); }

  LinkOwner& owner_;
  wire::MessageDecoder decoder_;
  ByteBuffer in_;
  OutputBuffer out_;
  net::Stream stream_;
};

}  // namespace magpie::server
