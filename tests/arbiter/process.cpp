#include "tests/arbiter/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/arbiter/fixture.h"

namespace magpie::testing {

ControlProcess::ControlProcess(std::vector<std::string> arguments, std::optional<std::uint64_t> most_file_bytes) {
  arguments.insert(arguments.begin(), MAGPIE_CONTROL);
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
  if (most_file_bytes) {
    const rlimit limit{*most_file_bytes, *most_file_bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ::execv(argv.front(), argv.data());
  ::_exit(127);
}

ControlProcess::~ControlProcess() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

int ControlProcess::port() {
  constexpr std::string_view kBefore = "event=ready port=";
  std::string text;
  const bool ready = becomes_so([&] {
    text = output();
    const std::size_t at = text.find(kBefore);
    if (at == std::string::npos || text.find('\n', at) == std::string::npos) return false;
    text.erase(0, at + kBefore.size());
    return true;
  });
  REQUIRE_MESSAGE(ready, text);
  return std::stoi(text);
}

void ControlProcess::signal(int number) const { ::kill(pid_, number); }

int ControlProcess::end() {
  int status = 0;
  const bool ended = becomes_so([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
  REQUIRE_MESSAGE(ended, output());
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace magpie::testing
