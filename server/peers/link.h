#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "protocol/byte_buffer.h"
#include "protocol/output_buffer.h"
#include "protocol/wire/messages.h"
#include "server/net/stream.h"
#include "server/net/stream_filter.h"

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

/// A connection between two nodes that carries messages: the one place where their bytes meet a socket. The loop's
/// thread only.
class Link final : private net::StreamHandler {
 public:
  /// Takes over a connected socket. All bytes go through `filter`, both ways; null: as they are.
  Link(net::Loop& loop, int fd, LinkOwner& owner, std::unique_ptr<net::StreamFilter> filter = nullptr);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Frames to be sent; flush() sends them, or what waits for the filter is sent once that is ready.
  ByteBuffer& out() { return out_.own(); }
  void flush();
  /// What comes is for somebody else to read, who has another name of the socket. Without a filter only, which knows
  /// where in the stream this link is.
  void stop_reading();
  int fd() const { return stream_.fd(); }
  /// What on_end() tells where the other side closed.
  static constexpr const char* kClosedByPeer = "the other side closed the connection";
  /// Whether the kernel has not taken all that was sent, or the filter takes nothing yet.
  bool congested() const { return stream_.pending_bytes() > 0 || (filter_ != nullptr && !filter_->ready()); }
  std::string peer_address() const { return stream_.peer_address(); }

 private:
  std::span<char> read_buffer() override;
  void on_read(std::size_t bytes) override;
  void on_end(const char* error) override;
  void on_drained() override { owner_.on_drained(); }

  std::expected<void, std::string> open_arrived(std::size_t bytes);
  std::expected<void, std::string> read_frames();
  void send_sealed();
  void end(const std::string& why);

  LinkOwner& owner_;
  wire::MessageDecoder decoder_;
  ByteBuffer in_;  // frames
  OutputBuffer out_;
  std::unique_ptr<net::StreamFilter> filter_;  // null: the two below stay empty
  ByteBuffer arrived_;
  OutputBuffer sealed_;
  net::Stream stream_;
};

}  // namespace magpie::server
