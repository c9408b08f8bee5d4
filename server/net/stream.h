#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "protocol/output_buffer.h"
#include "server/net/loop.h"

namespace magpie::net {

/// What a stream tells its owner, on the loop's thread. After Stream::close() or the stream's destruction nothing is
/// told any more. The owner may close or destroy the stream inside any of these calls but read_buffer().
class StreamHandler {
 public:
  /// Where the next read goes; must stay valid until the on_read() that follows at once. Hand out the loop's shared
  /// buffer where nothing is pending: an idle connection then costs no input memory.
  virtual std::span<char> read_buffer() = 0;
  /// `bytes` (> 0) bytes were put at the start of the last read_buffer().
  virtual void on_read(std::size_t bytes) = 0;
  /// The peer closed its sending side, or the connection failed (`error`, static text, nullptr for a clean end).
  /// Reading has stopped. After a clean end writes are still possible, and may still fail; after a failure nothing is
  /// told.
  virtual void on_end(const char* error) = 0;
  /// What was queued has been handed to the kernel: pending_bytes() is 0 again.
  virtual void on_drained() = 0;

 protected:
  ~StreamHandler() = default;
};

/// A connected TCP or unix stream socket. Writes try at once; only what does not fit is queued and owned here.
class Stream {
 public:
  /// Takes over a connected socket (also one accepted elsewhere). TCP: sets TCP_NODELAY. Reading starts with
  /// start_reading(). `handler` must outlive the stream.
  Stream(Loop& loop, int fd, StreamHandler& handler);
  ~Stream();  // closes
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void start_reading();
  /// Costs a system call each way: for back-pressure, not per batch.
  void stop_reading();
  bool reading() const;

  /// Sends the content of `out` and leaves it empty: its memory kept for reuse when the kernel took everything, moved
  /// into the queue when not. Order of writes is kept. A failed connection is reported by on_end(), later.
  void write(OutputBuffer& out);
  /// Bytes queued here because the kernel did not take them yet.
  std::size_t pending_bytes() const;
  /// Memory held by the queue, in bytes: its own, and the shared bytes that wait in it.
  std::size_t pending_memory() const;
  std::size_t pending_shared_memory() const;

  /// Closes at once, dropping what is queued. Idempotent.
  void close();
  /// Closes once the queue is empty (at once if it is); reads no more and drops later writes. When it closes later, the
  /// owner hears of it: on_drained(), or on_end() if the connection failed before, with closed() being true already.
  /// A peer that does not read delays that without limit: then close().
  void close_after_writes();
  bool closed() const;

  /// Seconds until keep-alive probes start, 0: off. TCP only.
  void set_keepalive(unsigned seconds);
  /// "127.0.0.1:6379", "[::1]:6379", or the path of the unix socket followed by ":0", as CLIENT LIST shows them.
  std::string peer_address() const;
  std::string local_address() const;
  int fd() const;

  struct Body;

 private:
  Body* body_;  // lives until both this object and libuv have let go
};

}  // namespace magpie::net
