#include "tests/sim/schedule.h"

#include <algorithm>

namespace magpie::sim {

void Schedule::at(TrueTime when, Task task) {
  if (when == TrueTime::max()) return;
  heap_.push_back({std::max(when, now_), ++added_, std::move(task)});
  std::ranges::push_heap(heap_, later);
}

bool Schedule::run_next(TrueTime end) {
  if (heap_.empty() || heap_.front().when > end) {
    now_ = std::max(now_, end);
    return false;
  }
  std::ranges::pop_heap(heap_, later);
  Entry entry = std::move(heap_.back());
  heap_.pop_back();
  now_ = entry.when;
  ++ran_;
  entry.task();
  return true;
}

}  // namespace magpie::sim
