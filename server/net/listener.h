#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "server/net/loop.h"

namespace magpie::net {

/// A listening socket on a loop: accepts (accept4, non-blocking, close-on-exec) and hands over raw sockets.
class Listener {
 public:
  /// Gets each accepted socket and owns it from then on. Runs on the loop's thread.
  using OnAccept = std::function<void(int fd)>;
  /// Told why connections have to wait: no descriptor or no memory is left. At most once a second.
  using OnLack = std::function<void(const char* error)>;
  struct Error {
    int code;             // errno
    std::string message;  // "Could not create server TCP listening socket 127.0.0.1:6379: bind: Address already in use"
  };

  /// `address` is an IPv4 or IPv6 literal, "*" (all IPv4) or "::*" (all IPv6) or a host name; IPv6 sockets are v6-only.
  /// Port 0 lets the kernel choose.
  static std::expected<Listener, Error> tcp(Loop& loop, const std::string& address, int port, int backlog,
                                            OnAccept on_accept, OnLack on_lack = {});
  /// Replaces a stale socket file; removes it when destroyed. `permissions` 0 leaves the umask's.
  static std::expected<Listener, Error> unix_socket(Loop& loop, const std::string& path, unsigned permissions,
                                                    int backlog, OnAccept on_accept, OnLack on_lack = {});
  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  ~Listener();  // stops listening

  /// The port in use; 0 for a unix socket.
  int port() const;

  struct Body;

 private:
  explicit Listener(Body* body) : body_(body) {}
  Body* body_;
};

}  // namespace magpie::net
