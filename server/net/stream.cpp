#include "server/net/stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <deque>
#include <expected>
#include <utility>

#include "protocol/check.h"
#include "server/net/handle.h"
#include "server/net/socket_io.h"
#include "server/net/sockets.h"

namespace magpie::net {
namespace {

constexpr int kSendsPerEvent = 16;  // so that one fast reader does not hold up the loop

/// What the kernel did not take at once. Exists only while there is something, so an idle connection does not pay for
/// it.
struct WriteQueue {
  std::deque<OutputBuffer> buffers;  // none of them empty
  std::size_t bytes = 0;
  std::size_t memory = sizeof(WriteQueue);
  std::size_t shared_memory = 0;

  void push(OutputBuffer&& out);
  void drop_sent(std::size_t sent);

 private:
  void count_in(const OutputBuffer& buffer) {
    memory += buffer.own_memory();
    shared_memory += buffer.shared_memory();
  }
  void count_out(const OutputBuffer& buffer) {
    memory -= buffer.own_memory();
    shared_memory -= buffer.shared_memory();
  }
};

void WriteQueue::push(OutputBuffer&& out) {
  bytes += out.size();
  count_in(out);
  buffers.push_back(std::move(out));
}

void WriteQueue::drop_sent(std::size_t sent) {
  bytes -= sent;
  while (sent > 0) {
    OutputBuffer& first = buffers.front();
    const std::size_t now = std::min(sent, first.size());
    count_out(first);
    first.consume(now);
    sent -= now;
    if (first.empty()) {
      buffers.pop_front();
    } else {
      count_in(first);
    }
  }
}

/// What the kernel takes of the content at once, most of it if there are many pieces.
std::expected<std::size_t, int> send_buffer(int fd, OutputBuffer& out) {
  if (!out.has_shared()) return send_some(fd, out.own().view());
  std::array<ByteView, kViewsPerSend> views;
  return send_some(fd, std::span(views).first(out.pieces(views)));
}

}  // namespace

/// libuv tells when the socket is ready; reading and sending is done here, which costs less than through libuv's
/// streams (docs/decisions/0006-sockets-polled.md). Whoever is told something may close or destroy the stream in that
/// call: nothing here touches the handler after it, and libuv's reference keeps the body.
struct Stream::Body final : HandleBody {
  Body(Loop& owner, int descriptor, StreamHandler& listener);

  void start_reading();
  void stop_reading();
  void write(OutputBuffer& out);
  void close_after_writes();
  std::size_t pending_bytes() const { return queue == nullptr ? 0 : queue->bytes; }

 private:
  void ready(int status, int events);
  void receive();
  void send_queue();
  void enqueue(OutputBuffer& out);
  void watch();
  void fail(int error);
  void report_failure();
  StreamHandler* handler_for_last_call();
  void on_close() override;

  uv_poll_t poll_{};
  int watched_ = 0;  // libuv's events that `poll_` is started with; 0: stopped

 public:
  int fd;                             // -1: closed
  StreamHandler* handler;             // nullptr: nothing is told any more
  std::unique_ptr<WriteQueue> queue;  // never empty
  const char* failure = nullptr;      // the connection is of no use any more; no more writes and reads
  bool is_tcp = false;
  bool reading = false;
  bool ended = false;  // the peer sends no more
  bool close_when_sent = false;
};

Stream::Body::Body(Loop& owner, int descriptor, StreamHandler& listener)
    : HandleBody(owner), fd(descriptor), handler(&listener) {
  const int family = socket_family(fd);
  CHECK(family >= 0);
  is_tcp = family != AF_UNIX;
  if (is_tcp) set_tcp_nodelay(fd);
  CHECK(uv_poll_init(&loop().uv, &poll_, fd) == 0);  // makes it non-blocking
  attach(&poll_);
}

/// Makes libuv watch what is waited for.
void Stream::Body::watch() {
  const int wanted = (reading ? UV_READABLE : 0) | (queue != nullptr ? UV_WRITABLE : 0);
  if (wanted == watched_) return;
  watched_ = wanted;
  if (wanted == 0) {
    uv_poll_stop(&poll_);
  } else {
    CHECK(uv_poll_start(&poll_, wanted, forward<&Body::ready, Body>) == 0);
  }
}

void Stream::Body::start_reading() {
  if (!open() || reading || ended || failure != nullptr || close_when_sent) return;
  DCHECK(loop().may_touch());
  reading = true;
  watch();
}

void Stream::Body::stop_reading() {
  if (!open() || !reading) return;
  DCHECK(loop().may_touch());
  reading = false;
  watch();
}

void Stream::Body::ready(int status, int events) {
  if (status < 0) {  // libuv has stopped watching; the next call to the kernel tells what is wrong
    watched_ = 0;
    events = UV_READABLE | UV_WRITABLE;
  }
  if ((events & UV_READABLE) != 0 && reading) receive();
  if ((events & UV_WRITABLE) != 0 && queue != nullptr) send_queue();
  if (open()) watch();
}

/// One read per event, however much there is: others wait too.
void Stream::Body::receive() {
  const std::span<char> space = handler->read_buffer();
  CHECK(!space.empty());
  const std::expected<std::size_t, int> got = receive_some(fd, space);
  if (got) {
    if (*got > 0) {
      handler->on_read(*got);
      return;
    }
    ended = true;
  } else if (would_block(got.error())) {
    return;
  } else {
    failure = error_text(got.error());
    queue.reset();
  }
  stop_reading();
  handler->on_end(failure);
}

void Stream::Body::write(OutputBuffer& out) {
  if (!open() || failure != nullptr || close_when_sent || out.empty()) {
    out.clear();
    return;
  }
  DCHECK(loop().may_touch());
  std::size_t taken = 0;
  if (queue == nullptr) {
    const std::expected<std::size_t, int> sent = send_buffer(fd, out);
    if (sent) {
      taken = *sent;
    } else if (!would_block(sent.error())) {
      out.clear();
      fail(sent.error());
      return;
    }
  }
  if (taken == out.size()) {
    out.clear();
  } else {
    out.consume(taken);
    enqueue(out);
  }
}

void Stream::Body::enqueue(OutputBuffer& out) {
  if (queue == nullptr) queue = std::make_unique<WriteQueue>();
  // Many small writes share a buffer.
  if (!queue->buffers.empty() && !out.has_shared()) {
    ByteBuffer& last = queue->buffers.back().own();
    if (last.capacity() - last.size() >= out.size()) {
      queue->bytes += out.size();
      last.append(out.own().view());
      out.clear();
      return;
    }
  }
  queue->push(std::move(out));
  watch();
}

void Stream::Body::send_queue() {
  for (int sends = 0; sends < kSendsPerEvent; ++sends) {
    std::array<ByteView, kViewsPerSend> views;
    std::size_t count = 0;
    for (const OutputBuffer& buffer : queue->buffers) {
      if (count == views.size()) break;
      count += buffer.pieces(std::span(views).subspan(count));
    }
    const std::expected<std::size_t, int> sent = send_some(fd, std::span(views).first(count));
    if (!sent) {
      if (!would_block(sent.error())) fail(sent.error());
      return;
    }
    queue->drop_sent(*sent);
    if (queue->bytes == 0) {
      queue.reset();
      handler_for_last_call()->on_drained();
      return;
    }
  }
}

void Stream::Body::fail(int error) {
  if (failure != nullptr) return;
  failure = error_text(error);
  queue.reset();
  reading = false;
  watch();
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
  reading = false;
  queue.reset();
  close_socket(std::exchange(fd, -1));
}

Stream::Stream(Loop& loop, int fd, StreamHandler& handler) : body_(new Body(loop, fd, handler)) {}

Stream::~Stream() {
  body_->close();
  body_->unref();
}

void Stream::start_reading() { body_->start_reading(); }
void Stream::stop_reading() { body_->stop_reading(); }
bool Stream::reading() const { return body_->reading; }
void Stream::write(OutputBuffer& out) { body_->write(out); }
std::size_t Stream::pending_bytes() const { return body_->pending_bytes(); }
std::size_t Stream::pending_memory() const { return body_->queue == nullptr ? 0 : body_->queue->memory; }
std::size_t Stream::pending_shared_memory() const { return body_->queue == nullptr ? 0 : body_->queue->shared_memory; }
void Stream::close() { body_->close(); }
void Stream::close_after_writes() { body_->close_after_writes(); }
bool Stream::closed() const { return !body_->open(); }
void Stream::set_keepalive(unsigned seconds) {
  if (body_->is_tcp && body_->open()) set_tcp_keepalive(body_->fd, seconds);
}
std::string Stream::peer_address() const { return socket_address(body_->fd, Side::Peer); }
std::string Stream::local_address() const { return socket_address(body_->fd, Side::Local); }
int Stream::fd() const { return body_->fd; }

}  // namespace magpie::net
