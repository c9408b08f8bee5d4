#include "tests/net/fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace magpie::net {
namespace {

void require(bool good, const char* what) {
  if (!good) throw std::system_error(errno, std::generic_category(), what);
}

void limit_buffer(int fd, int option) {
  const int bytes = 65536;
  require(::setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof(bytes)) == 0, "setsockopt");
}

template <class Address>
int open_connection(int family, const Address& address) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(fd >= 0, "socket");
  limit_buffer(fd, SO_RCVBUF);
  require(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0, "connect");
  return fd;
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

Peer Peer::connect_tcp(int port) { return Peer(open_connection(AF_INET, loopback(port))); }

Peer Peer::connect_tcp6(int port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(static_cast<std::uint16_t>(port));
  address.sin6_addr = in6addr_loopback;
  return Peer(open_connection(AF_INET6, address));
}

Peer Peer::connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof(address.sun_path) - 1));
  return Peer(open_connection(AF_UNIX, address));
}

void Peer::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    require(sent > 0, "send");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string Peer::receive(std::size_t count) const {
  std::string input;
  std::array<char, 65536> buffer{};
  while (input.size() < count) {
    const ssize_t got = ::recv(fd_, buffer.data(), std::min(buffer.size(), count - input.size()), 0);
    require(got >= 0, "recv");
    if (got == 0) break;
    input.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return input;
}

std::string Peer::receive_all() const { return receive(SIZE_MAX); }

void Peer::shutdown_write() const { require(::shutdown(fd_, SHUT_WR) == 0, "shutdown"); }

void Peer::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Peer::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  require(::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0, "setsockopt");
  close();
}

std::pair<int, Peer> connected(Kind kind) {
  if (kind == Kind::Unix) {
    std::array<int, 2> fds{};
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) == 0, "socketpair");
    limit_buffer(fds[0], SO_SNDBUF);
    return {fds[0], Peer(fds[1])};
  }
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(listening >= 0, "socket");
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof(address);
  require(::bind(listening, reinterpret_cast<const sockaddr*>(&address), length) == 0, "bind");
  require(::listen(listening, 1) == 0, "listen");
  limit_buffer(listening, SO_SNDBUF);
  require(::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &length) == 0, "getsockname");
  Peer peer = Peer::connect_tcp(ntohs(address.sin_port));
  const int accepted = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
  require(accepted >= 0, "accept4");
  ::close(listening);
  return {accepted, std::move(peer)};
}

OutputBuffer bytes_of(std::string_view text) {
  OutputBuffer buffer;
  buffer.own().append(text);
  return buffer;
}

std::string pattern(std::size_t count) {
  std::string text;
  for (std::size_t line = 0; text.size() < count; ++line) text += std::to_string(line) + "\n";
  text.resize(count);
  return text;
}

SocketPath::SocketPath() : directory_((std::filesystem::temp_directory_path() / "magpie-net-XXXXXX").string()) {
  require(::mkdtemp(directory_.data()) != nullptr, "mkdtemp");
  path = directory_ + "/socket";
}

SocketPath::~SocketPath() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace magpie::net
