#pragma once

#include <sys/types.h>

#include <chrono>
#include <expected>
#include <string>

#include "protocol/bytes.h"

namespace magpie::server {

/// A file that lines are appended to, and that may be moved away or removed meanwhile (logrotate): what follows goes to
/// a new file of that name. One thread at a time.
class LogFile {
 public:
  LogFile() = default;
  ~LogFile() { close(); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// The error is errno's text.
  std::expected<void, std::string> open(const std::string& path);
  void write(ByteView text);
  /// Hands what is written to the system, and looks whether the file is still there.
  void flush();

 private:
  void close();
  /// Goes over to the file of that name, if it is another one; looks at most twice a second. Stays with the old one if
  /// none can be made.
  void follow_name();
  bool is_open_at_path() const;

  std::string path_;
  std::string buffer_;
  int file_ = -1;
  std::chrono::steady_clock::time_point looked_;
};

}  // namespace magpie::server
