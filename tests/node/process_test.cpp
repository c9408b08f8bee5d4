// The finished program as a process: exit codes, signals, its log file.

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "server/exit_code.h"
#include "tests/node/fixture.h"
#include "tests/node/process.h"

using magpie::server::ExitCode;
using magpie::testing::await_listener;
using magpie::testing::content;
using magpie::testing::eventually;
using magpie::testing::Folder;
using magpie::testing::limits_bind;
using magpie::testing::Process;
using magpie::testing::UnixClient;

namespace {

/// A port of 127.0.0.1 on which this process listens.
class TakenPort {
 public:
  TakenPort() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(fd_, 1) == 0);
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    number_ = ntohs(address.sin_port);
  }
  ~TakenPort() { ::close(fd_); }
  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;
  std::string text() const { return std::to_string(number_); }

 private:
  int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int number_ = 0;
};

int code(ExitCode code) { return static_cast<int>(code); }

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// Arguments of a server that listens on `socket` alone.
std::vector<std::string> on_socket(const std::string& socket, std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"--port", "0", "--unixsocket", socket, "--threads", "2"});
  return more;
}

/// The server must end with this code and these words, which its log file repeats.
void check_refusal(std::vector<std::string> arguments, ExitCode expected, const std::vector<std::string>& words) {
  const Folder folder;
  const std::string log = folder.file("log");
  arguments.insert(arguments.end(), {"--logfile", log});
  Process process(arguments);
  CHECK(process.end() == code(expected));
  for (const std::string& word : words) {
    CHECK_MESSAGE(contains(process.output(), word), process.output());
    CHECK_MESSAGE(contains(content(log), word), content(log));
  }
  CHECK_FALSE(contains(process.output(), "Success"));
}

}  // namespace

TEST_CASE("what keeps a server from starting has an exit code of its own, and a line with the cure") {
  const Folder folder;
  const TakenPort taken;
  CHECK(Process({"--port", "nonsense"}).end() == code(ExitCode::BadConfiguration));
  CHECK(Process({"--logfile", "/nonexistent/log"}).end() == code(ExitCode::CannotLog));
  const std::string address = "127.0.0.1:" + taken.text() + ": bind: Address already in use. Stop what uses it";
  check_refusal({"--bind", "127.0.0.1", "--port", taken.text()}, ExitCode::CannotListen, {address});
  check_refusal({"--bind", "-127.0.0.1", "--port", taken.text()}, ExitCode::CannotListen, {address});
  check_refusal({"--bind", "nosuch.invalid"}, ExitCode::CannotListen, {"nosuch.invalid:6379: ", "with --bind"});
  check_refusal({"--port", "0"}, ExitCode::CannotListen, {"nothing to listen on", "--unixsocket"});
  check_refusal(on_socket("/nonexistent/socket"), ExitCode::CannotListen,
                {"/nonexistent/socket: bind: No such file or directory. ", "with --unixsocket"});
  check_refusal(on_socket(folder.file("socket"), {"--pidfile", "/nonexistent/pid"}), ExitCode::CannotWritePidFile,
                {"/nonexistent/pid", "with --pidfile"});
}

TEST_CASE("too few descriptors for the threads are an error that says so") {
  if (!limits_bind()) {
    MESSAGE("skipped: who may raise any limit always has enough");
    return;
  }
  const Folder folder;
  constexpr std::uint64_t kFiles = 64;
  Process process({"--port", "0", "--unixsocket", folder.file("socket"), "--threads", "40"}, kFiles);
  CHECK(process.end() == code(ExitCode::CannotMakeLoops));
  CHECK(contains(process.output(), "cannot start 40 threads"));
}

TEST_CASE("--check-config prints the warnings of a start, and how it would end") {
  Process good({"--check-config", "--maxmemory", "1mb"});
  CHECK(good.end() == code(ExitCode::Success));
  CHECK(good.output() == "The configuration is valid.\n");
  Process warned({"--check-config", "--daemonize", "yes"});
  CHECK(warned.end() == code(ExitCode::Success));
  CHECK(contains(warned.output(), "magpie-server: warning: "));
  CHECK(contains(warned.output(), "daemonize"));
  CHECK(contains(warned.output(), "maxmemory is not set"));
  CHECK(contains(warned.output(), "The configuration is valid.\n"));
  CHECK(Process({"--check-config", "--port", "0"}).end() == code(ExitCode::CannotListen));
}

TEST_CASE("one signal shuts down in order, a second one ends at once, whatever still runs") {
  for (const bool twice : {false, true}) {
    const Folder folder;
    const std::string socket = folder.file("socket");
    Process process(on_socket(socket, {"--enable-debug-command", "yes"}));
    await_listener(socket);
    const UnixClient client(socket);
    const UnixClient other(socket);
    REQUIRE(contains(other.answer("PING\r\n"), "PONG"));  // before that no signal is watched
    if (twice) {
      client.send("DEBUG SLEEP 100\r\n");
      REQUIRE(eventually([&] { return contains(other.answer("CLIENT LIST\r\n"), "cmd=debug"); }));
    }
    process.signal(SIGTERM);
    CHECK(eventually([&] { return !UnixClient(socket).connected(); }));
    if (twice) process.signal(SIGINT);
    CHECK(process.end() == code(twice ? ExitCode::Forced : ExitCode::Success));
  }
}

TEST_CASE("SIGHUP does not end a server") {
  const Folder folder;
  const std::string socket = folder.file("socket");
  Process process(on_socket(socket));
  await_listener(socket);
  process.signal(SIGHUP);
  CHECK(UnixClient(socket).answer("PING\r\n") == "+PONG\r\n");
  process.signal(SIGTERM);  // of two that wait, the lower number comes first
  CHECK(process.end() == code(ExitCode::Success));
}

TEST_CASE("a log file that was moved away or removed is made anew") {
  const Folder folder;
  const std::string socket = folder.file("socket");
  const std::string log = folder.file("log");
  Process process(on_socket(socket, {"--logfile", log, "--enable-debug-command", "yes"}));
  await_listener(socket);
  const UnixClient client(socket);
  const auto logged = [&](const std::string& text) {
    CHECK(client.answer("DEBUG LOG " + text + "\r\n") == "+OK\r\n");
    return contains(content(log), "DEBUG LOG: " + text);
  };
  REQUIRE(eventually([&] { return logged("first"); }));
  std::filesystem::rename(log, folder.file("log.1"));
  REQUIRE(eventually([&] { return logged("second"); }));
  CHECK(contains(content(folder.file("log.1")), "first"));
  CHECK_FALSE(contains(content(log), "first"));
  std::filesystem::remove(log);
  CHECK(eventually([&] { return std::filesystem::exists(log); }));  // without a line
  process.signal(SIGTERM);
  CHECK(process.end() == code(ExitCode::Success));
  CHECK(contains(content(log), "bye bye"));
}
