#pragma once

#include <atomic>

namespace magpie::server {

/// A value that one thread writes and others may read at any time, each read on its own: plain loads and stores on the
/// writer's side, no ordering promised.
template <class T>
class SharedValue {
 public:
  SharedValue() = default;
  SharedValue(T value) : value_(value) {}  // NOLINT(google-explicit-constructor): stands in for a T
  operator T() const { return value_.load(std::memory_order_relaxed); }  // NOLINT(google-explicit-constructor)
  SharedValue& operator=(T value) {
    value_.store(value, std::memory_order_relaxed);
    return *this;
  }
  /// The writing thread only.
  void add(T amount) { *this = static_cast<T>(*this + amount); }

 private:
  std::atomic<T> value_{};
};

}  // namespace magpie::server
