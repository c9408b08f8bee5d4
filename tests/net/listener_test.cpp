#include "server/net/listener.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/net/timer.h"
#include "tests/net/fixture.h"

namespace magpie::net {
namespace {

constexpr int kBacklog = 511;

struct Accepted {
  ~Accepted() {
    for (const int fd : fds) ::close(fd);
  }
  Listener::OnAccept stop_after(Loop& loop, std::size_t count) {
    return [this, &loop, count](int fd) {
      fds.push_back(fd);
      if (fds.size() == count) loop.stop();
    };
  }
  std::vector<int> fds;
};

}  // namespace

TEST_CASE("listener: a port of the kernel's choice, non-blocking sockets that are closed on exec") {
  Loop loop;
  Accepted accepted;
  auto listener = Listener::tcp(loop, "127.0.0.1", 0, kBacklog, accepted.stop_after(loop, 1));
  REQUIRE(listener.has_value());
  CHECK(listener->port() > 0);
  const Peer peer = Peer::connect_tcp(listener->port());
  loop.run();
  REQUIRE(accepted.fds.size() == 1);
  CHECK((::fcntl(accepted.fds[0], F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(accepted.fds[0], F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("listener: any address, a name, IPv6 alone") {
  Loop loop;
  Accepted accepted;
  auto any = Listener::tcp(loop, "*", 0, kBacklog, accepted.stop_after(loop, 1));
  REQUIRE(any.has_value());
  auto named = Listener::tcp(loop, "localhost", 0, kBacklog, accepted.stop_after(loop, 2));
  REQUIRE(named.has_value());
  const Peer first = Peer::connect_tcp(any->port());
  loop.run();
  const Peer second = Peer::connect_tcp(named->port());
  loop.run();
  auto any6 = Listener::tcp(loop, "::*", any->port(), kBacklog, accepted.stop_after(loop, 3));  // not in the way of v4
  if (!any6 && any6.error().code != EADDRINUSE) {
    MESSAGE("no IPv6 here: ", any6.error().message);
    return;
  }
  REQUIRE(any6.has_value());
  const Peer third = Peer::connect_tcp6(any6->port());
  loop.run();
  CHECK(accepted.fds.size() == 3);
}

TEST_CASE("listener: errors in the words of Redis") {
  Loop loop;
  auto first = Listener::tcp(loop, "127.0.0.1", 0, kBacklog, [](int) {});
  REQUIRE(first.has_value());
  const auto port = std::to_string(first->port());
  const auto taken = Listener::tcp(loop, "127.0.0.1", first->port(), kBacklog, [](int) {});
  REQUIRE_FALSE(taken.has_value());
  CHECK(taken.error().code == EADDRINUSE);
  CHECK(taken.error().message ==
        "Could not create server TCP listening socket 127.0.0.1:" + port + ": bind: Address already in use");
  const auto foreign = Listener::tcp(loop, "192.0.2.1", 0, kBacklog, [](int) {});
  REQUIRE_FALSE(foreign.has_value());
  CHECK(foreign.error().code == EADDRNOTAVAIL);
  CHECK(foreign.error().message ==
        "Could not create server TCP listening socket 192.0.2.1:0: bind: Cannot assign requested address");
  const auto unknown = Listener::tcp(loop, "nosuch.invalid", 7000, kBacklog, [](int) {});
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().code != EADDRNOTAVAIL);  // which a '-' in front of it would forgive
  CHECK(unknown.error().message.starts_with("Could not create server TCP listening socket nosuch.invalid:7000: "));
  CHECK(unknown.error().message.find("Success") == std::string::npos);
  const std::string long_path(200, 'x');
  const auto too_long = Listener::unix_socket(loop, long_path, 0, kBacklog, [](int) {});
  REQUIRE_FALSE(too_long.has_value());
  CHECK(too_long.error().message ==
        "Failed opening Unix socket " + long_path + ": unix socket path too long (200), must be under 108");
}

TEST_CASE("listener: a unix socket replaces a stale file, has its permissions, goes with the listener") {
  const SocketPath socket;
  Loop loop;
  Accepted accepted;
  std::optional<Listener> kept;
  for (int round = 0; round < 2; ++round) {
    auto listener = Listener::unix_socket(loop, socket.path, 0700, kBacklog,
                                          accepted.stop_after(loop, static_cast<std::size_t>(round) + 1));
    REQUIRE(listener.has_value());
    CHECK(listener->port() == 0);
    struct stat status{};
    REQUIRE(::stat(socket.path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0700);
    const Peer peer = Peer::connect_unix(socket.path);
    loop.run();
    if (round == 0) kept = std::move(*listener);
  }
  CHECK(accepted.fds.size() == 2);
  CHECK_FALSE(std::filesystem::exists(socket.path));
}

TEST_CASE("listener: a successor's socket file survives, and so does a file that is no socket") {
  const SocketPath socket;
  Loop loop;
  auto old = Listener::unix_socket(loop, socket.path, 0, kBacklog, [](int) {});
  auto successor = Listener::unix_socket(loop, socket.path, 0, kBacklog, [](int) {});
  REQUIRE(old.has_value());
  REQUIRE(successor.has_value());
  {
    const Listener gone = std::move(*old);
  }
  CHECK(std::filesystem::exists(socket.path));
  *old = std::move(*successor);
  {
    const Listener gone = std::move(*old);
  }
  CHECK_FALSE(std::filesystem::exists(socket.path));

  std::ofstream(socket.path) << "text";
  const auto refused = Listener::unix_socket(loop, socket.path, 0, kBacklog, [](int) {});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message == "Failed opening Unix socket " + socket.path + ": bind: Address already in use");
  CHECK(std::filesystem::file_size(socket.path) == 4);
}

TEST_CASE("listener: may be destroyed in its callback, and outlive its loop") {
  auto loop = std::make_unique<Loop>();
  std::optional<Listener> listener;
  int accepted = 0;
  auto made = Listener::tcp(*loop, "127.0.0.1", 0, kBacklog, [&](int fd) {
    ::close(fd);
    ++accepted;
    listener.reset();
    loop->stop();
  });
  REQUIRE(made.has_value());
  listener = std::move(*made);
  const Peer first = Peer::connect_tcp(listener->port());
  const Peer second = Peer::connect_tcp(listener->port());
  loop->run();
  CHECK(accepted == 1);

  const auto survivor = Listener::tcp(*loop, "127.0.0.1", 0, kBacklog, [](int) {});
  REQUIRE(survivor.has_value());
  loop.reset();
  CHECK(survivor->port() > 0);
}

namespace {

/// In a process of its own: 0 if connections that came while no descriptor was left are accepted once there is one, the
/// lack was told once and the loop did not burn the processor meanwhile.
int survive_lack_of_descriptors() {
  Loop loop;
  Accepted accepted;
  int told = 0;
  auto listener = Listener::tcp(loop, "127.0.0.1", 0, kBacklog, accepted.stop_after(loop, 2), [&](const char* error) {
    if (std::string_view(error) == "Too many open files") ++told;
  });
  if (!listener) return 2;
  const Peer first = Peer::connect_tcp(listener->port());
  const Peer second = Peer::connect_tcp(listener->port());
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit before = limit;
  const int next = ::dup(0);
  ::close(next);
  limit.rlim_cur = static_cast<rlim_t>(next);  // no number is free below
  ::setrlimit(RLIMIT_NOFILE, &limit);
  bool early = false;
  Timer relief(loop, [&] {
    early = !accepted.fds.empty();
    ::setrlimit(RLIMIT_NOFILE, &before);
  });
  relief.start_once(std::chrono::milliseconds(350));
  loop.run();
  rusage used{};
  ::getrusage(RUSAGE_THREAD, &used);
  const auto milliseconds =
      (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
  if (early) return 3;
  if (told != 1) return 5;  // of some three tries within a second
  return accepted.fds.size() == 2 ? static_cast<int>(milliseconds >= 200) : 4;
}

}  // namespace

TEST_CASE("listener: a lack of descriptors neither spins nor loses connections") {
  std::fflush(nullptr);  // or the child prints what has been buffered too
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(survive_lack_of_descriptors());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

}  // namespace magpie::net
