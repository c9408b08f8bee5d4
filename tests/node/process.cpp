#include "tests/node/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>

#include "tests/node/fixture.h"

namespace magpie::testing {

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "magpie-process-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string content(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

Process::Process(std::vector<std::string> arguments, std::optional<std::uint64_t> files) {
  arguments.insert(arguments.begin(), MAGPIE_SERVER);
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const std::string output = folder_.file("output");
  pid_ = ::fork();
  if (pid_ != 0) return;
  const int null = ::open("/dev/null", O_RDONLY);
  const int written = ::open(output.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0600);
  ::dup2(null, 0);
  ::dup2(written, 1);
  ::dup2(written, 2);
  if (files) {
    const rlimit limit{*files, *files};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ::execv(argv.front(), argv.data());
  ::_exit(127);
}

Process::~Process() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const { ::kill(pid_, number); }

int Process::end() {
  int status = 0;
  const bool ended = eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
  REQUIRE_MESSAGE(ended, output());
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool limits_bind() {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const rlimit low{64, 64};
    const rlimit higher{65, 65};
    ::_exit(::setrlimit(RLIMIT_NOFILE, &low) == 0 && ::setrlimit(RLIMIT_NOFILE, &higher) != 0 ? 0 : 1);
  }
  int status = 0;
  return ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

UnixClient::UnixClient(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.data(), path.size());
  connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

UnixClient::~UnixClient() { ::close(fd_); }

void UnixClient::send(std::string_view bytes) const {
  REQUIRE(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

std::string UnixClient::answer(std::string_view bytes) const {
  send(bytes);
  std::string received(4096, '\0');
  const ssize_t size = ::recv(fd_, received.data(), received.size(), 0);
  received.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return received;
}

void await_listener(const std::string& path) {
  REQUIRE(eventually([&] { return UnixClient(path).connected(); }));
}

}  // namespace magpie::testing
