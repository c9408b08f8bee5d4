#include "server/net/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

#include "protocol/check.h"
#include "server/net/handle.h"
#include "server/net/sockets.h"
#include "server/net/timer.h"

namespace magpie::net {
namespace {

constexpr int kAcceptsPerEvent = 1000;  // as Redis; then the connections there are get their turn
constexpr std::chrono::milliseconds kPauseWithoutDescriptors{100};
constexpr std::chrono::seconds kBetweenTellings{1};

/// What went wrong with one connection before it was accepted says nothing about the next one (see accept(2)).
bool concerns_one_connection(int error_number) {
  switch (error_number) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

/// The file of a unix socket. It is removed only as long as it is the one made here: a successor may have replaced it.
class SocketFile {
 public:
  SocketFile() = default;
  explicit SocketFile(std::string path) : path_(std::move(path)) { found(made_); }
  void remove() {
    struct stat now{};
    if (!path_.empty() && found(now) && now.st_dev == made_.st_dev && now.st_ino == made_.st_ino) {
      ::unlink(path_.c_str());
    }
    path_.clear();
  }

 private:
  bool found(struct stat& status) const { return ::lstat(path_.c_str(), &status) == 0; }

  std::string path_;
  struct stat made_{};
};

}  // namespace

struct Listener::Body final : HandleBody {
  Body(Loop& owner, int listening, SocketFile made, OnAccept callback, OnLack lack)
      : HandleBody(owner),
        fd(listening),
        port(local_port(listening)),
        file(std::move(made)),
        on_accept(std::move(callback)),
        on_lack(std::move(lack)),
        retry(owner, [this] { watch(); }) {
    CHECK(uv_poll_init(&loop().uv, &poll, fd) == 0);
    attach(&poll);
    watch();
  }

  void watch() { CHECK(uv_poll_start(&poll, UV_READABLE, forward<&Body::accept_all, Body>) == 0); }

  void accept_all(int status, int /*events*/) {
    if (status < 0) {  // libuv watches it no more
      pause();
      return;
    }
    // The callback may close the listener.
    for (int tries = 0; tries < kAcceptsPerEvent && open(); ++tries) {
      const int accepted = ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (accepted >= 0) {
        on_accept(accepted);
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return;
      } else if (!concerns_one_connection(errno)) {
        tell_lack(errno);
        pause();
        return;
      }
    }
  }

  /// No descriptor or no memory is left. The waiting connection would wake the loop again at once, so look away.
  void pause() {
    uv_poll_stop(&poll);
    retry.start_once(kPauseWithoutDescriptors);
  }

  void tell_lack(int error_number) {
    const auto now = std::chrono::steady_clock::now();
    if (!on_lack || (told && now - *told < kBetweenTellings)) return;
    told = now;
    on_lack(error_text(error_number));
  }

  void on_close() override {
    retry.stop();
    ::close(fd);  // uv_close() has taken it out of epoll
    file.remove();
  }

  int fd;
  int port;
  SocketFile file;
  OnAccept on_accept;
  OnLack on_lack;
  std::optional<std::chrono::steady_clock::time_point> told;  // on_lack, last
  Timer retry;
  uv_poll_t poll{};
};

std::expected<Listener, Listener::Error> Listener::tcp(Loop& loop, const std::string& address, int port, int backlog,
                                                       OnAccept on_accept, OnLack on_lack) {
  const auto fd = listen_tcp(address, port, backlog);
  if (!fd) return std::unexpected(fd.error());
  return Listener(new Body(loop, *fd, SocketFile(), std::move(on_accept), std::move(on_lack)));
}

std::expected<Listener, Listener::Error> Listener::unix_socket(Loop& loop, const std::string& path,
                                                               unsigned permissions, int backlog, OnAccept on_accept,
                                                               OnLack on_lack) {
  const auto fd = listen_unix(path, permissions, backlog);
  if (!fd) return std::unexpected(fd.error());
  return Listener(new Body(loop, *fd, SocketFile(path), std::move(on_accept), std::move(on_lack)));
}

Listener::Listener(Listener&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}

Listener& Listener::operator=(Listener&& other) noexcept {
  std::swap(body_, other.body_);
  const Listener replaced(std::move(other));  // closes what was here before
  return *this;
}

Listener::~Listener() {
  if (body_ == nullptr) return;
  body_->close();
  body_->unref();
}

int Listener::port() const { return body_->port; }

}  // namespace magpie::net
