#include "server/net/socket_io.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace magpie::net {
namespace {

/// A system call that is made again when a signal has interrupted it.
template <class... Arguments>
std::expected<std::size_t, int> transfer(long number, Arguments... arguments) {
  for (;;) {
    const long result = ::syscall(number, arguments...);
    if (result >= 0) return static_cast<std::size_t>(result);
    if (errno != EINTR) return std::unexpected(errno);
  }
}

constexpr std::nullptr_t kNoAddress = nullptr;

}  // namespace

std::expected<std::size_t, int> receive_some(int fd, std::span<char> space) {
  return transfer(SYS_recvfrom, fd, space.data(), space.size(), 0, kNoAddress, kNoAddress);
}

std::expected<std::size_t, int> send_some(int fd, ByteView bytes) {
  return transfer(SYS_sendto, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL, kNoAddress, 0);
}

std::expected<std::size_t, int> send_some(int fd, std::span<const ByteView> pieces) {
  std::array<iovec, kViewsPerSend> vectors;
  const std::size_t count = std::min(pieces.size(), vectors.size());
  for (std::size_t i = 0; i < count; ++i) vectors[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  return transfer(SYS_sendmsg, fd, &message, MSG_NOSIGNAL);
}

bool would_block(int error_number) { return error_number == EAGAIN || error_number == EWOULDBLOCK; }

}  // namespace magpie::net
