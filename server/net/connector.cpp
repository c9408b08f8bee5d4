#include "server/net/connector.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "server/net/handle.h"
#include "server/net/sockets.h"

namespace magpie::net {
namespace {

/// A socket on its way to one address. Tells once how that went, unless it is closed before.
struct Attempt final : HandleBody {
  Attempt(Loop& owner, int socket, std::function<void(int error)> callback)
      : HandleBody(owner), fd(socket), on_end(std::move(callback)) {
    CHECK(uv_poll_init(&loop().uv, &poll, fd) == 0);
    attach(&poll);
    CHECK(uv_poll_start(&poll, UV_WRITABLE, forward<&Attempt::ready, Attempt>) == 0);
  }
  void ready(int status, int /*events*/) {
    int error = 0;  // libuv knows of any failure only as EBADF
    socklen_t size = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    on_end(error == 0 ? -status : error);
  }
  /// The socket, which is no longer watched.
  int release() {
    const int released = std::exchange(fd, -1);
    close();
    return released;
  }
  void on_close() override {
    if (fd >= 0) ::close(fd);  // uv_close() has taken it out of epoll
  }

  int fd;
  std::function<void(int error)> on_end;
  uv_poll_t poll{};
};

struct FreeAddresses {
  void operator()(addrinfo* list) const { uv_freeaddrinfo(list); }
};

}  // namespace

class Connector::Body : public std::enable_shared_from_this<Body> {
 public:
  Body(Loop& loop, OnDone on_done) : loop_(loop), on_done_(std::move(on_done)) {}

  void look_up(const std::string& host, int port);
  void end() {
    ended_ = true;
    drop_attempt();
  }

 private:
  struct Lookup {
    uv_getaddrinfo_t request{};
    std::shared_ptr<Body> body;
  };

  void found(int status, addrinfo* list);
  void try_next();
  bool try_address(const addrinfo& address);
  void attempt_ended(int error);
  void drop_attempt();
  void tell(std::expected<int, Error> result);

  Loop& loop_;
  OnDone on_done_;
  bool ended_ = false;
  std::unique_ptr<addrinfo, FreeAddresses> addresses_;
  const addrinfo* next_ = nullptr;
  Attempt* attempt_ = nullptr;
  int last_error_ = 0;
};

void Connector::Body::look_up(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  auto lookup = std::make_unique<Lookup>();
  lookup->body = shared_from_this();
  lookup->request.data = lookup.get();
  const auto on_found = [](uv_getaddrinfo_t* request, int status, addrinfo* list) {
    const std::unique_ptr<Lookup> done(static_cast<Lookup*>(request->data));
    done->body->found(status, list);
  };
  const int status =
      uv_getaddrinfo(&loop_.body().uv, &lookup->request, on_found, host.c_str(), std::to_string(port).c_str(), &hints);
  if (status == 0) {
    [[maybe_unused]] const Lookup* const taken = lookup.release();  // by the callback
  } else {
    loop_.post([body = shared_from_this(), status] { body->found(status, nullptr); });
  }
}

void Connector::Body::found(int status, addrinfo* list) {
  loop_.body().mailbox.wake();  // as forward() does
  addresses_.reset(list);
  next_ = list;
  if (ended_ || loop_.body().ending) return;
  if (status != 0) return tell(std::unexpected(Error{0, uv_strerror(status)}));
  try_next();
}

void Connector::Body::try_next() {
  while (next_ != nullptr) {
    const addrinfo& address = *std::exchange(next_, next_->ai_next);
    if (try_address(address)) return;
  }
  tell(std::unexpected(Error{last_error_, error_text(last_error_)}));
}

/// False if it has failed already.
bool Connector::Body::try_address(const addrinfo& address) {
  const int fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || (::connect(fd, address.ai_addr, address.ai_addrlen) != 0 && errno != EINPROGRESS)) {
    last_error_ = errno;
    if (fd >= 0) ::close(fd);
    return false;
  }
  attempt_ = new Attempt(loop_, fd, [this](int error) { attempt_ended(error); });
  return true;
}

void Connector::Body::attempt_ended(int error) {
  const std::shared_ptr<Body> keep = shared_from_this();
  if (error == 0) {
    const int fd = attempt_->release();
    drop_attempt();
    return tell(fd);
  }
  last_error_ = error;
  drop_attempt();
  try_next();
}

void Connector::Body::drop_attempt() {
  if (attempt_ == nullptr) return;
  Attempt* const attempt = std::exchange(attempt_, nullptr);
  attempt->close();
  attempt->unref();
}

void Connector::Body::tell(std::expected<int, Error> result) {
  ended_ = true;
  OnDone on_done = std::move(on_done_);
  on_done(std::move(result));
}

Connector::Connector(Loop& loop, const std::string& host, int port, OnDone on_done)
    : body_(std::make_shared<Body>(loop, std::move(on_done))) {
  body_->look_up(host, port);
}

Connector::~Connector() { body_->end(); }

}  // namespace magpie::net
