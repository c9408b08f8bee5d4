#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace magpie::sim {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

struct TrueClock {};
/// The time that only the simulation knows.
using TrueTime = std::chrono::time_point<TrueClock, nanoseconds>;
using Task = std::move_only_function<void()>;

/// What happens when. Tasks of the same time run in the order in which they were added.
class Schedule {
 public:
  TrueTime now() const { return now_; }
  void at(TrueTime when, Task task);
  void after(nanoseconds delay, Task task) { at(now_ + delay, std::move(task)); }
  /// Runs the next task; false if there is none before that time, which it then is.
  bool run_next(TrueTime end);
  std::uint64_t ran() const { return ran_; }

 private:
  struct Entry {
    TrueTime when;
    std::uint64_t number;
    Task task;
  };
  static bool later(const Entry& one, const Entry& other) {
    return std::pair(one.when, one.number) > std::pair(other.when, other.number);
  }

  TrueTime now_{};
  std::uint64_t added_ = 0;
  std::uint64_t ran_ = 0;
  std::vector<Entry> heap_;
};

}  // namespace magpie::sim
