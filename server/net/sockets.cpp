#include "server/net/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcp.h>  // in place of netinet/tcp.h, whose tcp_info ends before what send_times() reads
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>

namespace magpie::net {
namespace {

constexpr int kKeepaliveProbes = 3;

std::unexpected<Listener::Error> failure(int code, const std::string& where, const std::string& what) {
  return std::unexpected(Listener::Error{code, where + ": " + what});
}

/// Of a call that set errno; closes `fd`.
std::unexpected<Listener::Error> call_failure(int fd, const std::string& where, const char* call) {
  const int code = errno;
  if (fd >= 0) ::close(fd);
  return failure(code, where, std::string(call) + ": " + error_text(code));
}

bool set_option(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

std::expected<int, Listener::Error> bind_tcp(const addrinfo& info, int backlog, const std::string& where) {
  const int fd = ::socket(info.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failure(errno, where, "unable to bind socket, errno: " + std::to_string(errno));
  if (info.ai_family == AF_INET6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) {
    return call_failure(fd, where, "setsockopt");
  }
  if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1)) return call_failure(fd, where, "setsockopt SO_REUSEADDR");
  if (::bind(fd, info.ai_addr, info.ai_addrlen) != 0) return call_failure(fd, where, "bind");
  if (::listen(fd, backlog) != 0) return call_failure(fd, where, "listen");
  return fd;
}

/// A socket file without a server behind it makes bind() fail. Anything else than a socket stays.
void remove_stale_socket(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) ::unlink(path.c_str());
}

struct AnyAddress {
  bool load(int fd, Side side) {
    length = sizeof(storage);
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    return (side == Side::Peer ? ::getpeername(fd, address, &length) : ::getsockname(fd, address, &length)) == 0;
  }
  template <class Address>
  Address as() const {
    Address address{};
    std::memcpy(&address, &storage, sizeof(address));
    return address;
  }
  /// Of a unix socket; empty if it has no name.
  std::string path() const {
    const auto address = as<sockaddr_un>();
    const std::size_t room = length > offsetof(sockaddr_un, sun_path) ? length - offsetof(sockaddr_un, sun_path) : 0;
    return {address.sun_path, ::strnlen(address.sun_path, std::min(room, sizeof(address.sun_path)))};
  }

  sockaddr_storage storage{};
  socklen_t length = 0;
};

/// Only the listening side of a unix socket has a name: the accepted socket's own, the peer's for who connected.
std::string unix_path(int fd) {
  AnyAddress address;
  for (const Side side : {Side::Peer, Side::Local}) {
    if (!address.load(fd, side)) continue;
    if (auto path = address.path(); !path.empty()) return path;
  }
  return {};
}

}  // namespace

const char* error_text(int error_number) {
  const char* text = ::strerrordesc_np(error_number);
  return text != nullptr ? text : "Unknown error";
}

std::expected<int, Listener::Error> listen_tcp(const std::string& address, int port, int backlog) {
  const std::string where = "Could not create server TCP listening socket " + address + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_family = address.contains(':') ? AF_INET6 : AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  const char* host = address == "*" || address == "::*" ? nullptr : address.c_str();
  addrinfo* found = nullptr;
  const int resolved = ::getaddrinfo(host, std::to_string(port).c_str(), &hints, &found);
  if (resolved != 0) {
    return resolved == EAI_SYSTEM ? call_failure(-1, where, "getaddrinfo")
                                  : failure(ENOENT, where, ::gai_strerror(resolved));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  return bind_tcp(*found, backlog, where);
}

std::expected<int, Listener::Error> listen_unix(const std::string& path, unsigned permissions, int backlog) {
  const std::string where = "Failed opening Unix socket " + path;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return failure(ENAMETOOLONG, where,
                   "unix socket path too long (" + std::to_string(path.size()) + "), must be under " +
                       std::to_string(sizeof(address.sun_path)));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return call_failure(fd, where, "creating socket");
  remove_stale_socket(path);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return call_failure(fd, where, "bind");
  // Before listen(): nobody can connect with the wrong permissions.
  const char* failed = nullptr;
  if (permissions != 0 && ::chmod(path.c_str(), permissions) != 0) {
    failed = "chmod";
  } else if (::listen(fd, backlog) != 0) {
    failed = "listen";
  }
  if (failed == nullptr) return fd;
  auto error = call_failure(fd, where, failed);
  ::unlink(path.c_str());
  return error;
}

std::string socket_address(int fd, Side side) {
  AnyAddress address;
  if (fd < 0 || !address.load(fd, side)) return "?:0";
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.storage.ss_family == AF_INET) {
    const auto v4 = address.as<sockaddr_in>();
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return std::string(text.data()) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (address.storage.ss_family == AF_INET6) {
    const auto v6 = address.as<sockaddr_in6>();
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  return unix_path(fd) + ":0";
}

int local_port(int fd) {
  AnyAddress address;
  if (!address.load(fd, Side::Local)) return 0;
  if (address.storage.ss_family == AF_INET) return ntohs(address.as<sockaddr_in>().sin_port);
  if (address.storage.ss_family == AF_INET6) return ntohs(address.as<sockaddr_in6>().sin6_port);
  return 0;
}

int socket_family(int fd) {
  int family = -1;
  socklen_t length = sizeof(family);
  return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) == 0 ? family : -1;
}

void set_tcp_nodelay(int fd) { set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

void close_socket(int fd) { ::close(fd); }

int duplicate_socket(int fd) { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); }

std::optional<SendTimes> send_times(int fd) {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return std::nullopt;
  constexpr std::size_t kNeeded = offsetof(tcp_info, tcpi_rwnd_limited) + sizeof info.tcpi_rwnd_limited;
  if (length < kNeeded) return std::nullopt;
  return SendTimes{info.tcpi_busy_time, info.tcpi_rwnd_limited};
}

void set_tcp_keepalive(int fd, unsigned seconds) {
  const int idle = static_cast<int>(std::min(seconds, 32767U));  // the kernel's own limit
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, idle > 0 ? 1 : 0);
  if (idle == 0) return;
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, std::max(idle / kKeepaliveProbes, 1));
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes);
}

bool from_this_machine(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  if (address.ss_family == AF_UNIX) return true;
  if (address.ss_family == AF_INET) {
    constexpr std::uint32_t kLoopbackNet = 127;
    return ntohl(reinterpret_cast<const sockaddr_in*>(&address)->sin_addr.s_addr) >> 24 == kLoopbackNet;
  }
  return address.ss_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(&address)->sin6_addr);
}

}  // namespace magpie::net
