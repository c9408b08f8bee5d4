#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "server/net/listener.h"

namespace magpie::net {

/// What the folder does with plain sockets, without libuv. Any thread.

/// "Connection reset by peer" for ECONNRESET. Static text.
const char* error_text(int error_number);

/// Sockets that listen, non-blocking and close-on-exec. The caller owns the descriptor. See Listener for the arguments.
std::expected<int, Listener::Error> listen_tcp(const std::string& address, int port, int backlog);
std::expected<int, Listener::Error> listen_unix(const std::string& path, unsigned permissions, int backlog);

enum class Side { Local, Peer };
/// "127.0.0.1:6379", "[::1]:6379", "/path:0"; "?:0" if the socket has no such address (any more).
std::string socket_address(int fd, Side side);
int local_port(int fd);

/// Whether the peer is on this machine: a unix socket or a loopback address.
bool from_this_machine(int fd);

/// AF_INET, AF_INET6, AF_UNIX; negative if `fd` is no socket.
int socket_family(int fd);
/// Small replies leave at once; fails silently if the peer has gone: the next read tells.
void set_tcp_nodelay(int fd);
void close_socket(int fd);
/// Another descriptor of the same socket, close-on-exec, which the caller owns; negative if there is none left.
int duplicate_socket(int fd);
/// What the kernel has counted since a connection began, in microseconds.
struct SendTimes {
  std::uint64_t busy_us = 0;  // that bytes were on their way or waited for that
  std::uint64_t receiver_full_us = 0;  // of these, that the peer had no room for more
};
/// Nothing if the socket is not TCP, or the kernel does not count that (Linux before 4.9). A system call.
std::optional<SendTimes> send_times(int fd);
/// Probes after `seconds` of silence, three of them a third of that apart, as Redis sets it; 0: none.
void set_tcp_keepalive(int fd, unsigned seconds);

}  // namespace magpie::net
