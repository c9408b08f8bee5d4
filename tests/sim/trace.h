#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "tests/sim/schedule.h"

namespace magpie::sim {

/// What happened, in words that a person can follow; its hash says whether two runs were the same.
class Trace {
 public:
  Trace(const Schedule& schedule, bool print) : schedule_(&schedule), print_(print) {}

  /// Nothing is put together where nobody reads it: `line` returns the text.
  template <class Line>
  void add(std::uint64_t what, const Line& line) {
    mix(static_cast<std::uint64_t>(schedule_->now().time_since_epoch().count()));
    mix(what);
    if (print_) print(line());
  }
  std::uint64_t hash() const { return hash_; }
  bool prints() const { return print_; }

 private:
  void mix(std::uint64_t number) {
    hash_ = (hash_ ^ number) * 0x9e3779b97f4a7c15;
    hash_ ^= hash_ >> 29;
  }
  void print(std::string_view line) const {
    const double ms = static_cast<double>(schedule_->now().time_since_epoch().count()) / 1e6;
    std::printf("%12.3f ms  %.*s\n", ms, static_cast<int>(line.size()), line.data());
  }

  const Schedule* schedule_;
  bool print_;
  std::uint64_t hash_ = 0;
};

}  // namespace magpie::sim
