#include "server/net/loop.h"

#include <csignal>
#include <utility>

#include "protocol/check.h"
#include "server/net/handle.h"
#include "server/net/loop_body.h"

namespace magpie::net {
namespace {

/// A write to a connection that the peer has closed must be an error, not a signal. The same for the whole process.
void ignore_sigpipe() { [[maybe_unused]] static const auto before = std::signal(SIGPIPE, SIG_IGN); }

template <auto Method, class Handle>
void forward_to_loop(Handle* handle) {
  (static_cast<Loop::Body*>(handle->data)->*Method)();
}

template <class Handle>
void close_own(Handle& handle) {
  uv_close(reinterpret_cast<uv_handle_t*>(&handle), nullptr);
}

}  // namespace

Loop::Body::Body() {
  ignore_sigpipe();
  if (const int status = uv_loop_init(&uv); status != 0) {
    throw Unavailable{uv_strerror(status)};
  }
  CHECK(uv_async_init(&uv, &wakeup, nullptr) == 0);  // it only ends the poll: after_poll() runs the tasks
  uv_prepare_init(&uv, &prepare);
  uv_check_init(&uv, &check);
  uv_idle_init(&uv, &no_wait);
  prepare.data = check.data = this;
  uv_prepare_start(&prepare, forward_to_loop<&Body::before_poll>);
  uv_check_start(&check, forward_to_loop<&Body::after_poll>);
}

Loop::Body::~Body() {
  CHECK(!running.load(std::memory_order_relaxed));
  thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
  ending = true;
  mailbox.drop_all();
  close_own(wakeup);
  close_own(prepare);
  close_own(check);
  close_own(no_wait);
  uv_walk(
      &uv,
      [](uv_handle_t* handle, void*) {
        if (uv_is_closing(handle) == 0) static_cast<HandleBody*>(handle->data)->close();
      },
      nullptr);
  while (uv_run(&uv, UV_RUN_DEFAULT) != 0) {
  }
  CHECK(uv_loop_close(&uv) == 0);
}

void Loop::Body::post(Task task) {
  // The loop's own thread is awake. Its id is read after push() has seen the sleeping loop's word, so it is the one
  // that run() stored.
  if (mailbox.push(std::move(task)) && !in_loop()) uv_async_send(&wakeup);
}

void Loop::Body::before_poll() {
  mailbox.run_all();
  if (!mailbox.try_sleep()) uv_idle_start(&no_wait, [](uv_idle_t*) {});
}

void Loop::Body::after_poll() {
  uv_idle_stop(&no_wait);
  mailbox.wake();
  if (after_each_poll) after_each_poll();
  mailbox.run_all();
}

Loop::Loop() : body_(std::make_unique<Body>()) {}
Loop::~Loop() = default;

void Loop::run() {
  CHECK(!body_->running.load(std::memory_order_relaxed));
  body_->thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
  body_->running.store(true, std::memory_order_relaxed);
  uv_run(&body_->uv, UV_RUN_DEFAULT);  // returns on uv_stop() only: `wakeup` keeps it going
  body_->running.store(false, std::memory_order_relaxed);
}

void Loop::stop() {
  post([body = body_.get()] { uv_stop(&body->uv); });
}

void Loop::post(Task task) { body_->post(std::move(task)); }

void Loop::after_each_poll(Task task) {
  CHECK(!body_->running.load(std::memory_order_relaxed));
  body_->after_each_poll = std::move(task);
}

bool Loop::in_loop() const { return body_->in_loop(); }

}  // namespace magpie::net
