#pragma once

#include <functional>
#include <memory>

namespace magpie::net {

/// One libuv loop, run by one thread. Everything else in this folder belongs to a loop and may be touched only by the
/// thread that runs it; the exceptions are named. Debug builds check.
class Loop {
 public:
  using Task = std::move_only_function<void()>;

  /// Thrown by the constructor: the system gives no descriptors for a loop. (Not a std::exception: that one looks its
  /// text up in a library, which the sanitizers want to check, for which they need descriptors.)
  struct Unavailable {
    const char* why;  // static text
  };
  Loop();
  ~Loop();  // after run() has returned; tasks are dropped, handles still open are closed (their objects may go later)
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs until stop(). The calling thread becomes the loop's thread.
  void run();
  /// Any thread. Tasks posted before still run. Before run(): run() returns at once.
  void stop();
  /// Any thread: runs `task` on the loop's thread, in order of posting. Tasks share one wakeup, and a loop that is
  /// awake is not woken. Tasks posted after the loop has ended are dropped with the loop.
  void post(Task task);
  /// Before run(): `task` is called each time the loop has read from its sockets, before the tasks posted meanwhile.
  void after_each_poll(Task task);
  /// Whether the calling thread runs this loop, or ran it last (before run(): has created it).
  bool in_loop() const;

  struct Body;  // libuv's side, known to this folder only
  Body& body() { return *body_; }

 private:
  std::unique_ptr<Body> body_;
};

}  // namespace magpie::net
