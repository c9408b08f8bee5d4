#include "cluster/arbiter/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

namespace magpie::cluster {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kFolderMode = 0700;
constexpr std::size_t kReadBytes = std::size_t{64} << 10;

std::unexpected<std::string> failure(const char* verb, const std::string& path, int error = errno) {
  return std::unexpected(std::string("cannot ") + verb + " '" + path + "': " + std::generic_category().message(error));
}

std::expected<void, std::string> sync_folder(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return failure("open", path);
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (result != 0) return failure("sync", path, error);
  return {};
}

std::string parent_of(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  const std::size_t slash = end == std::string::npos ? end : path.find_last_of('/', end);
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

std::expected<File, std::string> File::create(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return failure("create", path);
  return File(path, descriptor);
}

std::expected<File, std::string> File::lock(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return failure("open", path);
  File file(path, descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return file;
  if (errno == EWOULDBLOCK) return std::unexpected("another process has locked '" + path + "'");
  return failure("lock", path);
}

std::expected<void, std::string> File::append(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure("write", path_);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::expected<void, std::string> File::sync() {
  if (::fdatasync(descriptor_) != 0) return failure("sync", path_);
  return {};
}

std::expected<void, std::string> File::rename(const std::string& folder, const std::string& path) {
  if (std::rename(path_.c_str(), path.c_str()) != 0) return failure("rename", path_);
  path_ = path;
  return sync_folder(folder);
}

void File::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

std::expected<std::optional<std::string>, std::string> read_file(const std::string& path, std::size_t most) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return std::nullopt;
  if (descriptor < 0) return failure("open", path);
  std::string content;
  std::array<char, kReadBytes> buffer;
  ssize_t got = 1;
  while (got != 0 && content.size() <= most) {
    got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const int error = errno;
  ::close(descriptor);
  if (got < 0) return failure("read", path, error);
  if (content.size() > most) {
    return std::unexpected("'" + path + "' has more than " + std::to_string(most) + " bytes, which is no size for it");
  }
  return content;
}

std::expected<void, std::string> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), kFolderMode) == 0) return sync_folder(parent_of(path));
  if (errno != EEXIST) return failure("create", path);
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return failure("open", path);
  if (!S_ISDIR(status.st_mode)) return failure("use", path, ENOTDIR);
  return {};
}

}  // namespace magpie::cluster
