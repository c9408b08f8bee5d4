#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/output_buffer.h"
#include "server/net/stream.h"

namespace magpie::net {

/// The other side of a connection: a plain blocking socket. Throws on failure, so that a test ends instead of hanging.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  ~Peer() { close(); }
  Peer(Peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Peer& operator=(Peer&&) = delete;

  static Peer connect_tcp(int port);
  static Peer connect_tcp6(int port);
  static Peer connect_unix(const std::string& path);

  void send(std::string_view bytes) const;
  /// Exactly `count` bytes, fewer only at the end of the stream.
  std::string receive(std::size_t count) const;
  std::string receive_all() const;
  void shutdown_write() const;
  void close();
  /// Makes the other side see ECONNRESET. TCP.
  void reset();

 private:
  int fd_;
};

enum class Kind { Tcp, Unix };
/// Two connected sockets: one for a Stream and one for the test. Their kernel buffers are small.
std::pair<int, Peer> connected(Kind kind);

/// Records what a stream tells; `then` runs after recording, with the name of the call.
class Recorder : public StreamHandler {
 public:
  enum class Call { Read, End, Drained };

  std::span<char> read_buffer() final { return std::span(buffer_).first(buffer_size); }
  void on_read(std::size_t bytes) final {
    input.append(buffer_.data(), bytes);
    ++reads;
    call(Call::Read);
  }
  void on_end(const char* error) final {
    ++ends;
    failure = error == nullptr ? std::nullopt : std::optional<std::string>(error);
    call(Call::End);
  }
  void on_drained() final {
    ++drains;
    call(Call::Drained);
  }

  std::string input;
  std::optional<std::string> failure;
  int reads = 0;
  int ends = 0;
  int drains = 0;
  std::size_t buffer_size = 4096;
  std::function<void(Call)> then;

 private:
  void call(Call what) {
    if (then) then(what);
  }
  std::array<char, 4096> buffer_{};
};

OutputBuffer bytes_of(std::string_view text);
/// `count` bytes in which every position differs from its neighbourhood, so that a wrong order shows.
std::string pattern(std::size_t count);
/// A path for a socket in a directory of its own, which is removed with this object.
class SocketPath {
 public:
  SocketPath();
  ~SocketPath();
  SocketPath(const SocketPath&) = delete;
  SocketPath& operator=(const SocketPath&) = delete;
  std::string path;

 private:
  std::string directory_;
};

}  // namespace magpie::net
