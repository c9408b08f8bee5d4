#pragma once

#include <uv.h>

#include <atomic>
#include <thread>

#include "server/net/loop.h"
#include "server/net/mailbox.h"

namespace magpie::net {

/// libuv's side of a loop. An iteration is: timers, pending callbacks, before_poll, poll, after_poll, closing
/// callbacks. Tasks run before and after the poll.
struct Loop::Body {
  Body();
  ~Body();
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  void post(Task task);
  bool in_loop() const { return thread.load(std::memory_order_relaxed) == std::this_thread::get_id(); }
  /// Whether the calling thread may use the loop's handles: it runs the loop, or nobody does (before and after run()).
  bool may_touch() const { return in_loop() || !running.load(std::memory_order_relaxed); }
  void before_poll();
  void after_poll();

  uv_loop_t uv{};
  uv_async_t wakeup{};
  uv_prepare_t prepare{};
  uv_check_t check{};
  uv_idle_t no_wait{};  // while active the poll does not block
  Mailbox mailbox;
  Task after_each_poll;
  std::atomic<std::thread::id> thread = std::this_thread::get_id();
  std::atomic<bool> running = false;
  bool ending = false;  // being destroyed: nothing may be opened any more
};

}  // namespace magpie::net
