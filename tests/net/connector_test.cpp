#include "server/net/connector.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>

#include "server/net/listener.h"
#include "server/net/sockets.h"
#include "server/net/timer.h"
#include "tests/net/fixture.h"

namespace magpie::net {
namespace {

constexpr int kBacklog = 16;

struct Result {
  ~Result() {
    if (done && done->has_value()) close_socket(**done);
  }
  Connector::OnDone stop(Loop& loop) {
    return [this, &loop](std::expected<int, Connector::Error> result) {
      done = std::move(result);
      loop.stop();
    };
  }
  std::optional<std::expected<int, Connector::Error>> done;
};

/// Accepts and closes at once.
Listener listener(Loop& loop, const std::string& address) {
  auto made = Listener::tcp(loop, address, 0, kBacklog, [](int fd) { close_socket(fd); });
  REQUIRE(made.has_value());
  return std::move(*made);
}

}  // namespace

TEST_CASE("connector: a socket to a name or an address, non-blocking and closed on exec") {
  for (const char* host : {"127.0.0.1", "localhost", "::1"}) {
    CAPTURE(host);
    Loop loop;
    const Listener listening = listener(loop, std::string(host) == "::1" ? "::1" : "127.0.0.1");
    Result result;
    const Connector connector(loop, host, listening.port(), result.stop(loop));
    CHECK_FALSE(result.done.has_value());  // not from inside the constructor
    loop.run();
    REQUIRE(result.done.has_value());
    REQUIRE(result.done->has_value());
    const int fd = **result.done;
    CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(socket_address(fd, Side::Peer).ends_with(":" + std::to_string(listening.port())));
  }
}

TEST_CASE("connector: nobody listens there") {
  Loop loop;
  int port = 0;
  {
    const Listener closed = listener(loop, "127.0.0.1");
    port = closed.port();
  }
  Result result;
  const Connector connector(loop, "127.0.0.1", port, result.stop(loop));
  loop.run();
  REQUIRE(result.done.has_value());
  REQUIRE_FALSE(result.done->has_value());
  CHECK(result.done->error().code == ECONNREFUSED);
  CHECK(result.done->error().message == "Connection refused");
}

TEST_CASE("connector: a name that there is not") {
  Loop loop;
  Result result;
  const Connector connector(loop, "no-such-host.invalid", 1, result.stop(loop));
  loop.run();
  REQUIRE(result.done.has_value());
  REQUIRE_FALSE(result.done->has_value());
  CHECK(result.done->error().code == 0);
  CHECK_FALSE(result.done->error().message.empty());
}

TEST_CASE("connector: destroyed before it is done, it tells nothing") {
  Loop loop;
  const Listener listening = listener(loop, "127.0.0.1");
  Result never;
  auto connector = std::make_unique<Connector>(loop, "127.0.0.1", listening.port(), never.stop(loop));
  connector.reset();
  Result result;
  const Connector other(loop, "127.0.0.1", listening.port(), result.stop(loop));
  loop.run();
  CHECK(result.done.has_value());
  CHECK_FALSE(never.done.has_value());
}

TEST_CASE("connector: it may be destroyed when it tells, and with its loop") {
  std::optional<Loop> loop(std::in_place);
  const Listener listening = listener(*loop, "127.0.0.1");
  std::unique_ptr<Connector> connector;
  int fd = -1;
  connector = std::make_unique<Connector>(*loop, "127.0.0.1", listening.port(), [&](auto result) {
    fd = *result;
    connector.reset();
    loop->stop();
  });
  loop->run();
  REQUIRE(fd >= 0);
  close_socket(fd);
  Result never;
  const Connector unfinished(*loop, "127.0.0.1", listening.port(), never.stop(*loop));
  loop.reset();
  CHECK_FALSE(never.done.has_value());
}

}  // namespace magpie::net
