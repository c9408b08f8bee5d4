#include "server/net/stream.h"

#include <sys/socket.h>

#include <utility>
#include <vector>

#include "protocol/check.h"
#include "server/net/handle.h"
#include "server/net/sockets.h"

namespace magpie::net {
namespace {

/// What the kernel did not take at once. Exists only while there is something, so an idle connection does not pay for
/// it.
struct WriteQueue {
  uv_write_t request{};
  std::vector<ByteBuffer> sending;  // libuv's until it calls back
  std::vector<ByteBuffer> waiting;  // goes out with the next request
  std::size_t waiting_bytes = 0;
  std::size_t memory = 0;
};

/// Static text of a negative libuv status.
const char* status_text(ssize_t status) { return error_text(static_cast<int>(-status)); }

}  // namespace

/// libuv's side of a stream. Whoever is told something may close or destroy the stream in that call: nothing here
/// touches the handler after it, and libuv's reference keeps the body.
struct Stream::Body final : HandleBody {
  Body(Loop& owner, int socket, StreamHandler& listener);

  void start_reading();
  void stop_reading();
  void write(ByteBuffer& out);
  void close_after_writes();
  std::size_t pending_bytes() const;
  int fd() const;

 private:
  void allocate(std::size_t suggested, uv_buf_t* buffer);
  void received(ssize_t status, const uv_buf_t* buffer);
  void written(int status);
  void enqueue(ByteBuffer& out, std::size_t taken);
  void submit(std::size_t skip);
  void fail(ssize_t status);
  void report_failure();
  StreamHandler* handler_for_last_call();
  void on_close() override;

 public:
  union {
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } uv{};
  StreamHandler* handler;             // nullptr: nothing is told any more
  std::unique_ptr<WriteQueue> queue;  // dropped only when libuv has nothing of it: its request is done or refused
  const char* failure = nullptr;      // the connection is of no use any more; no more writes and reads
  bool is_tcp = false;
  bool reading = false;
  bool ended = false;         // the peer sends no more
  bool had_its_read = false;  // one read per event, however much there is
  bool in_read_buffer = false;
  bool close_when_sent = false;
};

Stream::Body::Body(Loop& owner, int socket, StreamHandler& listener) : HandleBody(owner), handler(&listener) {
  const int family = socket_family(socket);
  CHECK(family >= 0);
  is_tcp = family != AF_UNIX;
  if (is_tcp) {
    CHECK(uv_tcp_init(&loop().uv, &uv.tcp) == 0);
    attach(&uv.tcp);
    CHECK(uv_tcp_open(&uv.tcp, socket) == 0);
    uv_tcp_nodelay(&uv.tcp, 1);  // fails if the peer has gone: the next read tells
  } else {
    CHECK(uv_pipe_init(&loop().uv, &uv.pipe, 0) == 0);
    attach(&uv.pipe);
    CHECK(uv_pipe_open(&uv.pipe, socket) == 0);
  }
}

int Stream::Body::fd() const {
  uv_os_fd_t fd = -1;
  if (open()) uv_fileno(reinterpret_cast<const uv_handle_t*>(&uv.stream), &fd);
  return fd;
}

void Stream::Body::start_reading() {
  if (!open() || reading || ended || failure != nullptr || close_when_sent) return;
  DCHECK(loop().may_touch());
  had_its_read = false;
  reading = uv_read_start(&uv.stream, forward<&Body::allocate, Body>, forward<&Body::received, Body>) == 0;
}

void Stream::Body::stop_reading() {
  if (!open() || !reading) return;
  DCHECK(loop().may_touch());
  CHECK(!in_read_buffer);  // libuv will call back whatever it returns
  reading = false;
  uv_read_stop(&uv.stream);
}

void Stream::Body::allocate(std::size_t /*suggested*/, uv_buf_t* buffer) {
  *buffer = uv_buf_init(nullptr, 0);  // makes libuv leave its loop of reads
  if (std::exchange(had_its_read, false)) return;
  in_read_buffer = true;
  const auto space = handler->read_buffer();
  in_read_buffer = false;
  CHECK(!space.empty());
  buffer->base = space.data();
  buffer->len = space.size();
}

void Stream::Body::received(ssize_t status, const uv_buf_t* buffer) {
  if (!open() || status == 0 || status == UV_ENOBUFS) return;
  if (status > 0) {
    const auto bytes = static_cast<std::size_t>(status);
    had_its_read = bytes == buffer->len;  // libuv will ask for another buffer
    handler->on_read(bytes);
    return;
  }
  reading = false;  // libuv has stopped by itself, or does so after this
  ended = true;
  if (status == UV_EOF) {
    handler->on_end(nullptr);
  } else {
    failure = status_text(status);
    handler->on_end(failure);
  }
}

void Stream::Body::write(ByteBuffer& out) {
  if (!open() || failure != nullptr || close_when_sent || out.empty()) {
    out.truncate(0);
    return;
  }
  DCHECK(loop().may_touch());
  std::size_t taken = 0;
  if (queue == nullptr) {
    uv_buf_t buffer{out.data(), out.size()};
    const int result = uv_try_write(&uv.stream, &buffer, 1);
    if (result < 0 && result != UV_EAGAIN) {
      out.truncate(0);
      fail(result);
      return;
    }
    taken = result > 0 ? static_cast<std::size_t>(result) : 0;
  }
  if (taken == out.size()) {
    out.truncate(0);
  } else {
    enqueue(out, taken);
  }
}

/// Puts all but the first `taken` bytes behind what is there.
void Stream::Body::enqueue(ByteBuffer& out, std::size_t taken) {
  if (queue == nullptr) {
    queue = std::make_unique<WriteQueue>();
    queue->memory = sizeof(WriteQueue) + out.capacity();
    queue->sending.push_back(std::move(out));
    submit(taken);
    return;
  }
  queue->waiting_bytes += out.size();
  if (!queue->waiting.empty()) {
    ByteBuffer& last = queue->waiting.back();
    if (last.capacity() - last.size() >= out.size()) {  // many small writes share a buffer
      last.append(out.view());
      out.truncate(0);
      return;
    }
  }
  queue->memory += out.capacity();
  queue->waiting.push_back(std::move(out));
}

void Stream::Body::submit(std::size_t skip) {
  std::vector<uv_buf_t> buffers;
  buffers.reserve(queue->sending.size());
  for (ByteBuffer& bytes : queue->sending) buffers.push_back({bytes.data(), bytes.size()});
  buffers.front().base += skip;
  buffers.front().len -= skip;
  queue->request.data = static_cast<HandleBody*>(this);
  const int status = uv_write(&queue->request, &uv.stream, buffers.data(), static_cast<unsigned>(buffers.size()),
                              forward<&Body::written, Body>);
  if (status < 0) {
    queue.reset();
    fail(status);
  }
}

void Stream::Body::written(int status) {
  if (!open()) return;
  if (status < 0 || failure != nullptr) {
    queue.reset();
    if (status < 0) fail(status);
    return;
  }
  for (const ByteBuffer& sent : queue->sending) queue->memory -= sent.capacity();
  queue->sending.clear();
  if (!queue->waiting.empty()) {
    queue->sending.swap(queue->waiting);
    queue->waiting_bytes = 0;
    submit(0);
    return;
  }
  queue.reset();
  handler_for_last_call()->on_drained();
}

void Stream::Body::fail(ssize_t status) {
  if (failure != nullptr) return;
  failure = status_text(status);
  stop_reading();
  loop().post([self = BodyRef(*this)] { self->report_failure(); });
}

void Stream::Body::report_failure() {
  if (open()) handler_for_last_call()->on_end(failure);
}

/// The end of a close_after_writes(): closed before the owner hears of it.
StreamHandler* Stream::Body::handler_for_last_call() {
  if (close_when_sent) close();
  return handler;
}

void Stream::Body::close_after_writes() {
  if (!open()) return;
  if (pending_bytes() == 0 || failure != nullptr) {
    close();
    return;
  }
  stop_reading();
  close_when_sent = true;
}

void Stream::Body::on_close() {
  CHECK(!in_read_buffer);
  reading = false;
  if (queue == nullptr) return;
  queue->waiting.clear();  // `sending` stays until libuv has cancelled its request
}

std::size_t Stream::Body::pending_bytes() const {
  if (!open() || queue == nullptr) return 0;
  return uv_stream_get_write_queue_size(&uv.stream) + queue->waiting_bytes;
}

Stream::Stream(Loop& loop, int fd, StreamHandler& handler) : body_(new Body(loop, fd, handler)) {}

Stream::~Stream() {
  body_->close();
  body_->unref();
}

void Stream::start_reading() { body_->start_reading(); }
void Stream::stop_reading() { body_->stop_reading(); }
bool Stream::reading() const { return body_->reading; }
void Stream::write(ByteBuffer& out) { body_->write(out); }
std::size_t Stream::pending_bytes() const { return body_->pending_bytes(); }
std::size_t Stream::pending_memory() const {
  return body_->open() && body_->queue != nullptr ? body_->queue->memory : 0;
}
void Stream::close() { body_->close(); }
void Stream::close_after_writes() { body_->close_after_writes(); }
bool Stream::closed() const { return !body_->open(); }
void Stream::set_keepalive(unsigned seconds) {
  if (body_->is_tcp && body_->open()) set_tcp_keepalive(body_->fd(), seconds);
}
std::string Stream::peer_address() const { return socket_address(body_->fd(), Side::Peer); }
std::string Stream::local_address() const { return socket_address(body_->fd(), Side::Local); }
int Stream::fd() const { return body_->fd(); }

}  // namespace magpie::net
