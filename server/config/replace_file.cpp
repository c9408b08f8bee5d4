#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "server/config/rewrite.h"

namespace magpie::config {
namespace {

constexpr mode_t kModeOfNewFile = 0600;  // it may hold a password
constexpr mode_t kPermissionBits = 07777;

std::unexpected<std::string> failure(int code) { return std::unexpected(std::generic_category().message(code)); }

bool write_all(int file, ByteView text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// The file behind symbolic links: it is replaced, not the link, also if it is not there.
std::string resolved(const std::string& path) {
  constexpr int kMostLinks = 40;  // as the kernel follows
  std::filesystem::path target = path;
  std::error_code error;
  for (int links = 0; links < kMostLinks; ++links) {
    const auto next = std::filesystem::read_symlink(target, error);
    if (error) break;
    target = target.parent_path() / next;  // `next` alone if it is absolute
  }
  return target.string();
}

/// Makes the new name of the file last.
void sync_directory_of(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  const int file = ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  ::fsync(file);
  ::close(file);
}

}  // namespace

std::expected<void, std::string> replace_file(const std::string& path, ByteView text) {
  const std::string target = resolved(path);
  std::string temporary = target + ".XXXXXX";
  const int file = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (file < 0) return failure(errno);
  struct stat before{};
  const mode_t mode = ::stat(target.c_str(), &before) == 0 ? before.st_mode & kPermissionBits : kModeOfNewFile;
  bool done = write_all(file, text) && ::fchmod(file, mode) == 0 && ::fsync(file) == 0;
  int code = errno;
  ::close(file);
  if (done && ::rename(temporary.c_str(), target.c_str()) != 0) {
    done = false;
    code = errno;
  }
  if (!done) {
    ::unlink(temporary.c_str());
    return failure(code);
  }
  sync_directory_of(target);
  return {};
}

}  // namespace magpie::config
