#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace magpie::testing {

/// A folder that is gone after the test.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// The content of a file; empty if there is none.
std::string content(const std::string& path);

/// A running magpie-server; killed at the end if it has not ended. Whoever connects to it does so by a unix socket in
/// the test's folder, so that no port is needed.
class Process {
 public:
  /// `files` is the limit of open files, for good.
  explicit Process(std::vector<std::string> arguments, std::optional<std::uint64_t> files = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const;
  /// Its exit code, or minus the signal that ended it; waits for it.
  int end();
  /// What it has written to standard output and standard error so far.
  std::string output() const { return content(folder_.file("output")); }

 private:
  Folder folder_;
  pid_t pid_ = -1;
};

/// Whether the limit of open files binds the processes of this user.
bool limits_bind();

/// A connection to a unix socket.
class UnixClient {
 public:
  /// Tries once.
  explicit UnixClient(const std::string& path);
  ~UnixClient();
  UnixClient(const UnixClient&) = delete;
  UnixClient& operator=(const UnixClient&) = delete;

  bool connected() const { return connected_; }
  void send(std::string_view bytes) const;
  /// The start of the answer to a command, which is short enough to come in one piece; empty at the end.
  std::string answer(std::string_view bytes) const;

 private:
  int fd_;
  bool connected_;
};

/// Waits until somebody listens at `path`.
void await_listener(const std::string& path);

}  // namespace magpie::testing
