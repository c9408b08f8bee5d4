#pragma once

#include <cstddef>
#include <expected>
#include <span>

#include "protocol/bytes.h"

namespace magpie::net {

/// Reading from and sending to connected, non-blocking sockets; the error is an errno, never EINTR, and there is no
/// SIGPIPE. The system calls are made without libc's wrappers, which in a process with threads cost two locked
/// instructions each for pthread_cancel(), of which nothing here makes use.

/// How many bytes came, 0: the peer sends no more.
std::expected<std::size_t, int> receive_some(int fd, std::span<char> space);
/// How many bytes the kernel took.
std::expected<std::size_t, int> send_some(int fd, ByteView bytes);
/// The same for at most kViewsPerSend pieces, one behind the other.
inline constexpr std::size_t kViewsPerSend = 64;
std::expected<std::size_t, int> send_some(int fd, std::span<const ByteView> pieces);

/// Whether the error only says that the socket is not ready.
bool would_block(int error_number);

}  // namespace magpie::net
