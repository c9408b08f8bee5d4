#include "server/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace magpie::server {
namespace {

constexpr std::chrono::milliseconds kBetweenLooks{500};  // below the second after which everything is flushed
constexpr std::size_t kBuffer = 16384;
constexpr mode_t kMode = 0644;

int open_to_append(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kMode);
}

/// What cannot be written, on a full disk, is lost: there is no other place for it.
void write_all(int file, ByteView text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::expected<void, std::string> LogFile::open(const std::string& path) {
  const int file = open_to_append(path);
  if (file < 0) return std::unexpected(std::strerror(errno));
  close();
  path_ = path;
  file_ = file;
  looked_ = std::chrono::steady_clock::now();
  return {};
}

void LogFile::close() {
  if (file_ < 0) return;
  write_all(file_, buffer_);
  buffer_.clear();
  ::close(std::exchange(file_, -1));
}

void LogFile::write(ByteView text) {
  follow_name();
  buffer_ += text;
  if (buffer_.size() >= kBuffer) flush();
}

void LogFile::flush() {
  write_all(file_, buffer_);
  buffer_.clear();
  follow_name();
}

bool LogFile::is_open_at_path() const {
  struct stat named{};
  struct stat opened{};
  return ::stat(path_.c_str(), &named) == 0 && ::fstat(file_, &opened) == 0 && named.st_dev == opened.st_dev &&
         named.st_ino == opened.st_ino;
}

void LogFile::follow_name() {
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_ < kBetweenLooks) return;
  looked_ = now;
  if (is_open_at_path()) return;
  const int file = open_to_append(path_);
  if (file < 0) return;
  close();
  file_ = file;
}

}  // namespace magpie::server
