#include "server/net/timer.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "protocol/check.h"
#include "server/net/handle.h"

namespace magpie::net {

struct Timer::Body final : HandleBody {
  Body(Loop& owner, std::function<void()> callback) : HandleBody(owner), on_fire(std::move(callback)) {
    CHECK(uv_timer_init(&loop().uv, &timer) == 0);
    attach(&timer);
  }
  void start(std::chrono::milliseconds delay, std::chrono::milliseconds period) {
    if (!open()) return;
    DCHECK(loop().may_touch());
    uv_update_time(&loop().uv);  // libuv counts from its own clock, which stands still while callbacks run
    uv_timer_start(&timer, forward<&Body::fire, Body>, milliseconds(delay), milliseconds(period));
  }
  void fire() { on_fire(); }
  static std::uint64_t milliseconds(std::chrono::milliseconds duration) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  }

  uv_timer_t timer{};
  std::function<void()> on_fire;
};

Timer::Timer(Loop& loop, std::function<void()> on_fire) : body_(new Body(loop, std::move(on_fire))) {}

Timer::~Timer() {
  body_->close();
  body_->unref();
}

void Timer::start_once(std::chrono::milliseconds delay) { body_->start(delay, std::chrono::milliseconds(0)); }

void Timer::start_repeating(std::chrono::milliseconds period) {
  period = std::max(period, std::chrono::milliseconds(1));  // to libuv 0 means once
  body_->start(period, period);
}

void Timer::stop() {
  if (!body_->open()) return;
  DCHECK(body_->loop().may_touch());
  uv_timer_stop(&body_->timer);
}

bool Timer::active() const {
  return body_->open() && uv_is_active(reinterpret_cast<const uv_handle_t*>(&body_->timer)) != 0;
}

struct SignalWatcher::Body final : HandleBody {
  Body(Loop& owner, int signal, std::function<void()> callback) : HandleBody(owner), on_signal(std::move(callback)) {
    CHECK(uv_signal_init(&loop().uv, &watcher) == 0);
    attach(&watcher);
    CHECK(uv_signal_start(&watcher, forward<&Body::received, Body>, signal) == 0);
  }
  void received(int /*signal*/) { on_signal(); }

  uv_signal_t watcher{};
  std::function<void()> on_signal;
};

SignalWatcher::SignalWatcher(Loop& loop, int signal, std::function<void()> on_signal)
    : body_(new Body(loop, signal, std::move(on_signal))) {}

SignalWatcher::~SignalWatcher() {
  body_->close();
  body_->unref();
}

}  // namespace magpie::net
