#pragma once

#include <unistd.h>

#include <utility>

namespace magpie::server {

/// A socket on its way to a loop; closed if the loop ends before it gets there.
class UnownedSocket {
 public:
  explicit UnownedSocket(int fd) : fd_(fd) {}
  UnownedSocket(UnownedSocket&& other) noexcept : fd_(other.release()) {}
  UnownedSocket& operator=(UnownedSocket&&) = delete;
  ~UnownedSocket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace magpie::server
