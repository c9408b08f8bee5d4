#pragma once

#include <chrono>
#include <cstdint>

namespace magpie::sim {

/// Random numbers from a seed, the same everywhere (splitmix64, Steele and others 2014). Cheap to begin.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
  }
  std::chrono::nanoseconds between(std::chrono::nanoseconds low, std::chrono::nanoseconds high) {
    return std::chrono::nanoseconds(between(low.count(), high.count()));
  }
  bool percent(std::uint64_t chance) { return below(100) < chance; }
  bool one_in(std::uint64_t chance) { return below(chance) == 0; }
  /// Another sequence, so that what one part draws does not shift another.
  Random fork() { return Random(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace magpie::sim
