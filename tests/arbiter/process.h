#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/cluster/folder.h"

namespace magpie::testing {

/// A running magpiectl; killed at the end if it has not ended.
class ControlProcess {
 public:
  /// `most_file_bytes`: no file may grow beyond.
  explicit ControlProcess(std::vector<std::string> arguments, std::optional<std::uint64_t> most_file_bytes = {});
  ~ControlProcess();
  ControlProcess(const ControlProcess&) = delete;
  ControlProcess& operator=(const ControlProcess&) = delete;

  /// The port of its ready line, which it waits for.
  int port();
  void signal(int number) const;
  /// Its exit code, or minus the signal that ended it; waits for it.
  int end();
  /// What it has written to standard output and standard error so far.
  std::string output() const { return file_content(folder_.file("output")); }
  bool wrote(std::string_view words) const { return output().find(words) != std::string::npos; }

 private:
  TemporaryFolder folder_;
  pid_t pid_ = -1;
};

}  // namespace magpie::testing
