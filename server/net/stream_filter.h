#pragma once

#include <expected>
#include <string>

#include "protocol/byte_buffer.h"
#include "protocol/bytes.h"

namespace magpie::net {

/// What becomes of bytes between a link and its socket. TLS will implement it (OpenSSL over memory buffers); without it
/// bytes go as they are. Owned by one link and used by its loop's thread only. Works on bytes alone: it neither sees
/// the socket nor learns where the peer's writes began. No call may destroy the link.
class StreamFilter {
 public:
  virtual ~StreamFilter() = default;

  /// The first call, once: appends to `out` what this side sends before anything else, if it speaks first.
  virtual void begin(ByteBuffer& out) = 0;
  /// Whether bytes can be sealed, as they can once a handshake is over; from then on always. Until then the link keeps
  /// them.
  virtual bool ready() const = 0;
  /// Appends to `out` what stands for all of `plain` on the way to the peer. Only while ready.
  virtual void seal(ByteView plain, ByteBuffer& out) = 0;
  /// Takes all of `arrived`, cut anywhere, and appends to `plain` what it means so far; appends to `out` whatever the
  /// peer has to be told now. An error, which says what is wrong with the peer ("its certificate has expired"), ends
  /// the link: what has been appended to `out` still is sent, what has been to `plain` is not read. It is the last
  /// call.
  virtual std::expected<void, std::string> open(ByteView arrived, ByteBuffer& plain, ByteBuffer& out) = 0;
};

}  // namespace magpie::net
