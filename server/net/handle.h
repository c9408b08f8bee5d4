#pragma once

#include <uv.h>

#include <utility>

#include "protocol/check.h"
#include "server/net/loop_body.h"

namespace magpie::net {

/// libuv's side of one of our objects: derived classes hold the uv_*_t. It lives on the heap, counted by references:
/// one of the object (which it may outlive), one of libuv (from attach() until the callback of uv_close), and those of
/// tasks under way. Loop's thread only.
class HandleBody {
 public:
  HandleBody(const HandleBody&) = delete;
  HandleBody& operator=(const HandleBody&) = delete;

  /// Until close(). After that the loop may be gone.
  bool open() const { return open_; }
  Loop::Body& loop() const { return *loop_; }
  /// Idempotent. No callback of libuv reaches the derived class afterwards, except for writes that are cancelled.
  void close() {
    if (!open_) return;
    DCHECK(loop_->may_touch());
    open_ = false;
    uv_close(handle_, [](uv_handle_t* handle) { static_cast<HandleBody*>(handle->data)->unref(); });
    on_close();
  }
  void ref() { ++references_; }
  void unref() {
    if (--references_ == 0) delete this;
  }

 protected:
  explicit HandleBody(Loop& loop) : loop_(&loop.body()) { DCHECK(loop_->may_touch()); }
  virtual ~HandleBody() = default;
  /// To be called by the constructor with the initialised handle.
  template <class Handle>
  void attach(Handle* handle) {
    handle->data = static_cast<HandleBody*>(this);
    handle_ = reinterpret_cast<uv_handle_t*>(handle);
    open_ = true;
    ref();
  }
  /// What else ends with close(): by its owner, or because the loop is destroyed.
  virtual void on_close() {}

 private:
  Loop::Body* loop_;
  uv_handle_t* handle_ = nullptr;
  int references_ = 1;
  bool open_ = false;
};

/// A counted reference to a body, for tasks.
template <class Body>
class BodyRef {
 public:
  explicit BodyRef(Body& body) : body_(&body) { body_->ref(); }
  BodyRef(BodyRef&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  BodyRef& operator=(BodyRef&&) = delete;
  ~BodyRef() {
    if (body_ != nullptr) body_->unref();
  }
  Body* operator->() const { return body_; }

 private:
  Body* body_;
};

/// A libuv callback that calls a member function of the body: forward<&Body::method, Body>. Of a handle, or of a
/// request whose `data` was set like a handle's.
template <auto Method, class Body, class Handle, class... Rest>
void forward(Handle* handle, Rest... rest) {
  auto* body = static_cast<Body*>(static_cast<HandleBody*>(handle->data));
  body->loop().mailbox.wake();  // libuv calls back from inside the poll, long before after_poll()
  (body->*Method)(rest...);
}

}  // namespace magpie::net
