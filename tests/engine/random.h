#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace magpie::testing {

/// Random numbers from a fixed seed, the same on every platform.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t next() { return engine_(); }
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool one_in(std::uint64_t chance) { return below(chance) == 0; }
  /// Arbitrary bytes, zeros and line ends included.
  std::string bytes(std::size_t size) {
    std::string text(size, '\0');
    for (char& byte : text) byte = static_cast<char>(engine_() & 0xff);
    return text;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace magpie::testing
