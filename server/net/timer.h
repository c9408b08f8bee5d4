#pragma once

#include <chrono>
#include <functional>

#include "server/net/loop.h"

namespace magpie::net {

/// A timer on a loop. Monotonic clock, millisecond resolution. Loop's thread only.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> on_fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void start_once(std::chrono::milliseconds delay);
  void start_repeating(std::chrono::milliseconds period);
  void stop();
  bool active() const;

  struct Body;

 private:
  Body* body_;
};

/// Calls back on the loop's thread when the process receives a signal.
class SignalWatcher {
 public:
  SignalWatcher(Loop& loop, int signal, std::function<void()> on_signal);
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

  struct Body;

 private:
  Body* body_;
};

}  // namespace magpie::net
