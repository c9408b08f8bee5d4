#pragma once

#include <atomic>
#include <cstdint>

namespace magpie::server {

/// One stay of a node in a role, from one REPLICAOF or takeover to the next: what has been begun in it must do nothing
/// after it. Copies stand for the same; the node outlives them. Any thread; under a stripe's lock the answer stays true
/// until that is released.
class Tenure {
 public:
  explicit Tenure(const std::atomic<std::uint64_t>& number) : now_(&number), number_(number.load()) {}
  bool holds() const { return now_->load() == number_; }
  std::uint64_t number() const { return number_; }

 private:
  const std::atomic<std::uint64_t>* now_;
  std::uint64_t number_;
};

}  // namespace magpie::server
