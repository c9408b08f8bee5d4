// The finished program as a process: exit codes, signals.

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/exit_code.h"
#include "tests/node/fixture.h"

using magpie::server::ExitCode;
using magpie::testing::eventually;

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

/// A listening socket on a port that the kernel chose.
class Port {
 public:
  Port() {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(fd_, 1) == 0);
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    number_ = ntohs(address.sin_port);
  }
  ~Port() { release(); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  void release() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  std::string text() const { return std::to_string(number_); }
  int number() const { return number_; }

 private:
  int fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
  int number_ = 0;
};

/// A connected socket, or -1.
int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

void say(int fd, std::string_view text) {
  REQUIRE(::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}
/// The start of the answer, which is short enough to come in one piece.
std::string answer(int fd, std::string_view text) {
  say(fd, text);
  std::string bytes(4096, '\0');
  const ssize_t size = ::recv(fd, bytes.data(), bytes.size(), 0);
  REQUIRE(size > 0);
  bytes.resize(static_cast<std::size_t>(size));
  return bytes;
}

/// A running magpie-server; killed at the end if it has not ended.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), MAGPIE_SERVER);
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ != 0) return;
    const int null = ::open("/dev/null", O_RDWR);
    for (const int fd : {0, 1, 2}) ::dup2(null, fd);
    ::execv(argv.front(), argv.data());
    ::_exit(127);
  }
  ~Process() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const { ::kill(pid_, number); }
  /// Its exit code, or minus the signal that ended it; waits for it.
  int end() {
    int status = 0;
    const bool ended = eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
    REQUIRE(ended);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
};

int code(ExitCode code) { return static_cast<int>(code); }

}  // namespace

TEST_CASE("what keeps a server from starting has an exit code of its own") {
  const Port taken;
  CHECK(Process({"--port", "nonsense"}).end() == code(ExitCode::BadConfiguration));
  CHECK(Process({"--bind", "127.0.0.1", "--port", taken.text()}).end() == code(ExitCode::CannotListen));
  CHECK(Process({"--bind", "-127.0.0.1", "--port", taken.text()}).end() == code(ExitCode::CannotListen));
  CHECK(Process({"--port", "0"}).end() == code(ExitCode::CannotListen));
  CHECK(Process({"--logfile", "/nonexistent/log"}).end() == code(ExitCode::CannotLog));
  Port port;
  port.release();
  CHECK(Process({"--port", port.text(), "--pidfile", "/nonexistent/pid"}).end() == code(ExitCode::CannotWritePidFile));
}

TEST_CASE("one signal shuts down in order, a second one ends at once, whatever still runs") {
  for (const bool twice : {false, true}) {
    Port port;
    port.release();
    Process process({"--bind", "127.0.0.1", "--port", port.text(), "--threads", "2", "--enable-debug-command", "yes"});
    int client = -1;
    REQUIRE(eventually([&] { return (client = connect_to(port.number())) >= 0; }));
    const int other = connect_to(port.number());
    if (twice) {
      say(client, "DEBUG SLEEP 100\r\n");
      REQUIRE(eventually([&] { return answer(other, "CLIENT LIST\r\n").find("cmd=debug") != std::string::npos; }));
    }
    process.signal(SIGTERM);
    const bool refused = eventually([&] {
      const int again = connect_to(port.number());
      if (again >= 0) ::close(again);
      return again < 0;
    });
    CHECK(refused);
    if (twice) process.signal(SIGINT);
    CHECK(process.end() == code(twice ? ExitCode::Forced : ExitCode::Success));
    ::close(client);
    ::close(other);
  }
}
