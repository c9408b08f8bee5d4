#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "protocol/bytes.h"

namespace magpie::cluster {

// Files whose content has to be on the disk. Errors are sentences that name the file: "cannot write '/data/log': No
// space left on device". All of this may block for as long as the disk takes. Any thread, one at a time for a file.

class File {
 public:
  File() = default;
  ~File() { close(); }
  File(File&& other) noexcept : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    path_.swap(other.path_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  /// A new and empty one; what is there of that name is emptied.
  static std::expected<File, std::string> create(const std::string& path);
  /// The one of that name, made if need be, and locked until it is closed; the error says so if another has locked it.
  static std::expected<File, std::string> lock(const std::string& path);

  /// At its end.
  std::expected<void, std::string> append(ByteView bytes);
  /// Returns when the disk has all of it. After an error nobody knows what it has: the file is not to be used any more.
  std::expected<void, std::string> sync();
  /// Takes the name of another file of the folder, which it replaces, and returns when the disk has that too.
  std::expected<void, std::string> rename(const std::string& folder, const std::string& path);

 private:
  File(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  void close();

  std::string path_;
  int descriptor_ = -1;
};

/// All of it; nothing if there is no such file. An error if it is longer than `most` bytes.
std::expected<std::optional<std::string>, std::string> read_file(const std::string& path, std::size_t most);
/// Makes the folder if there is none, but no folder around it.
std::expected<void, std::string> make_folder(const std::string& path);

}  // namespace magpie::cluster
