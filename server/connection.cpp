#include "server/connection.h"

#include <poll.h>

#include <algorithm>

#include "protocol/reply_writer.h"
#include "server/limits.h"
#include "server/loop_worker.h"
#include "server/state/clock.h"

namespace magpie::server {
namespace {

constexpr std::int64_t kSecondMs = 1000;

/// For a connection that is not read from: whether the peer has closed it.
bool peer_has_gone(int fd) {
  pollfd watched{fd, POLLRDHUP, 0};
  return ::poll(&watched, 1, 0) > 0;
}

}  // namespace

Connection::Connection(LoopWorker& worker, int fd, std::shared_ptr<ClientState> client)
    : worker_(worker), client_(std::move(client)), stream_(worker.loop(), fd, *this) {
  client_->peer_address = stream_.peer_address();
  client_->local_address = stream_.local_address();
  const config::Settings& settings = *worker_.state().settings;
  if (!client_->unix_socket) stream_.set_keepalive(static_cast<unsigned>(settings.tcp_keepalive));
  stream_.start_reading();
}

Connection::~Connection() = default;

void Connection::close() {
  if (stream_.closed()) return;
  closing_ = true;
  gathered_ = {};
  stream_.close();
  worker_.retire(client_->id);
}

std::span<char> Connection::read_buffer() {
  if (tail_.empty()) return worker_.reads().space();
  const std::size_t wanted = at_least_ > tail_.size() ? at_least_ - tail_.size() : 0;
  // As much again as there is, so that a large argument is moved a few times only.
  const std::size_t room = std::clamp(wanted, kReadBuffer / 4, std::max(kReserveAhead, tail_.size()));
  return {tail_.reserve(room), tail_.capacity() - tail_.size()};
}

void Connection::on_read(std::size_t bytes) {
  worker_.state().statistics->net_input_bytes.add(bytes);
  worker_.state().statistics->total_reads_processed.add(1);
  bool in_tail = !tail_.empty();  // so it was read to there
  if (in_tail) tail_.commit(bytes);
  ByteView input = in_tail ? tail_.view() : worker_.reads().received(bytes);
  if (!gathered_.empty()) {
    // So many sockets were ready that libuv polled a second time in this turn: first what is older. The new bytes stay
    // where they are meanwhile.
    worker_.run_gathered();
    if (closing_) return;
    tail_.append(input);
    input = tail_.view();
    in_tail = true;
  }
  if (over_queue_limit(input.size() - progress_.taken())) {
    close_over_query_limit();
    return;
  }
  if (client_->blocked || waits_for_drain_) {
    if (!in_tail) tail_.append(input);
    // Reading on would only pile up; the end of the wait starts it again.
    if (tail_.size() > kReadBuffer) stream_.stop_reading();
    publish();
    return;
  }
  if (in_tail) {
    process(input, worker_.now());
  } else {
    gathered_ = input;
    worker_.gather(*this, bytes);
  }
}

void Connection::run_gathered(std::size_t number, Instant now) {
  const ByteView input = std::exchange(gathered_, {});
  if (!input.empty()) process(input, now, number);
}

std::size_t Connection::query_limit() const {
  return static_cast<std::size_t>(worker_.state().settings->client_query_buffer_limit);
}

/// Commands queued by MULTI are input that is not executed yet: they count, as in Redis 7.2.
bool Connection::over_queue_limit(std::size_t unread) const {
  const std::size_t queued = client_->transaction.queued_bytes;
  return queued > 0 && queued + unread > query_limit();
}

/// For what is left once everything complete is executed. Arguments do not count, as in Redis, but have a bound.
bool Connection::over_query_limit() const {
  const std::size_t limit = query_limit();
  return tail_.size() - progress_.taken() > limit || tail_.size() > std::max(limit, kMostArguments);
}

void Connection::close_over_query_limit() {
  worker_.state().statistics->query_limit_disconnections.add(1);
  close();
}

void Connection::on_end(const char* error) {
  if (!gathered_.empty()) {  // sent before the end
    worker_.run_gathered();
    if (error == nullptr && (closing_ || waits_for_drain_)) {
      ended_ = true;
      return;
    }
  }
  if (error == nullptr && !closing_ && waits_for_room()) {
    ended_ = true;
  } else if (closing_) {  // the last replies cannot be sent
    worker_.retire(client_->id);
  } else if (error == nullptr && stream_.pending_bytes() > 0 && !client_->blocked) {
    close_after_writes(worker_.now());  // it sends no more, but may still want its replies
  } else {
    close();
  }
}

void Connection::close_after_writes(Instant now) {
  closing_ = true;
  last_reply_progress_ = now;
  last_reply_left_ = stream_.pending_bytes();
  stream_.close_after_writes();
  if (stream_.closed()) worker_.retire(client_->id);
}

void Connection::on_drained() {
  if (closing_) {
    worker_.retire(client_->id);
    return;
  }
  over_soft_limit_since_.reset();
  client_->last_activity_ms = worker_.now().ms;
  publish();
  waits_for_drain_ = false;
  go_on();
}

bool Connection::waits_for_room() const { return client_->blocked && client_->blocked->kind == Blocked::Kind::Room; }

void Connection::go_on() {
  if (!client_->blocked && !tail_.empty()) process(tail_.view(), worker_.now());
  if (closing_ || waits_for_drain_) return;
  if (ended_) {
    if (!waits_for_room()) close_after_writes(worker_.now());
    return;
  }
  if (client_->blocked && tail_.size() > kReadBuffer) return;
  stream_.start_reading();
}

bool Connection::send_replies(Dispatcher::State state, Instant now) {
  list_as_monitor();
  if (state == Dispatcher::State::CutOff) {
    worker_.shared_output().clear();
    close();
    return false;
  }
  if (!client_->held.empty()) return true;  // the burst has ended, and all that it answered is there
  if (!flush(now)) return false;
  if (state == Dispatcher::State::Close) close_after_writes(now);
  return state != Dispatcher::State::Close;
}

void Connection::process(ByteView input, Instant now, std::optional<std::size_t> head) {
  OutputBuffer& out = worker_.shared_output();
  Dispatcher& dispatcher = worker_.dispatcher();
  std::size_t consumed = 0;
  Dispatcher::Outcome outcome;
  client_->query_buffer = input.size();
  do {
    const ByteView rest = input.substr(consumed);
    outcome = head ? dispatcher.run_head(*head, *client_, rest, progress_, out, now)
                   : dispatcher.run(*client_, rest, progress_, out, now);
    head.reset();
    consumed += outcome.consumed;
    if (!send_replies(outcome.state, now)) return;
  } while (outcome.state == Dispatcher::State::OutputFull && stream_.pending_bytes() == 0);
  at_least_ = outcome.at_least;
  keep_rest(input, consumed);
  if (outcome.state == Dispatcher::State::NeedInput && over_query_limit()) {
    close_over_query_limit();
    return;
  }
  if (outcome.state == Dispatcher::State::Blocked) start_wait();
  const std::size_t pending = stream_.pending_bytes();
  if (pending >= kOutputHighWater || (outcome.state == Dispatcher::State::OutputFull && pending > 0)) {
    waits_for_drain_ = true;
    stream_.stop_reading();
  }
  publish();
}

void Connection::keep_rest(ByteView input, std::size_t consumed) {
  if (tail_.empty()) {
    tail_.append(input.substr(consumed));
  } else if (consumed == tail_.size()) {
    tail_.release();
  } else {
    tail_.consume(consumed);
  }
}

bool Connection::flush(Instant now) {
  OutputBuffer& out = worker_.shared_output();
  if (out.empty()) return true;
  LoopStatistics& statistics = *worker_.state().statistics;
  if (over_output_limit(stream_.pending_bytes() + out.size(), now)) {
    out.clear();
    close_over_output_limit();
    return false;
  }
  statistics.net_output_bytes.add(out.size());
  statistics.total_writes_processed.add(1);
  stream_.write(out);
  if (out.own_memory() > kKeptBuffer) out.release();
  return true;
}

bool Connection::over_output_limit(std::size_t bytes, Instant now) {
  const config::OutputBufferLimit& limit = worker_.state().settings->client_output_buffer_limit.normal;
  const auto size = static_cast<std::int64_t>(bytes);
  if (limit.hard_bytes > 0 && size > limit.hard_bytes) return true;
  if (limit.soft_bytes == 0 || size <= limit.soft_bytes) {
    over_soft_limit_since_.reset();
    return false;
  }
  if (!over_soft_limit_since_) over_soft_limit_since_ = now;
  return now.ms - over_soft_limit_since_->ms > limit.soft_seconds * kSecondMs;
}

void Connection::close_over_output_limit() {
  worker_.state().statistics->output_limit_disconnections.add(1);
  close();
}

void Connection::send_unasked(OutputBuffer& bytes) {
  if (closing_ || client_->reply_mode == ReplyMode::Off) return;
  const std::size_t unread = stream_.pending_bytes() + bytes.size();
  if (unread > kMonitorBacklog || over_output_limit(unread, worker_.now())) {
    close_over_output_limit();
    return;
  }
  worker_.state().statistics->net_output_bytes.add(bytes.size());
  stream_.write(bytes);
  publish_output();
}

void Connection::start_wait() {
  const std::optional<Instant> until = client_->blocked->until;
  worker_.note_blocked(client_->id);
  if (client_->blocked->kind == Blocked::Kind::Room) worker_.end_wait_in_next_turn(client_->id);
  if (!until) return;
  if (wait_timer_ == nullptr) wait_timer_ = std::make_unique<net::Timer>(worker_.loop(), [this] { end_wait(false); });
  wait_timer_->start_once(std::chrono::milliseconds(std::max<std::int64_t>(until->ms - worker_.now().ms, 0)));
}

void Connection::end_wait(bool with_error) {
  if (closing_ || !client_->blocked) return;
  if (wait_timer_ != nullptr) wait_timer_->stop();
  worker_.dispatcher().finish_wait(*client_, worker_.shared_output(), with_error);
  leave_wait();
}

void Connection::refuse_shutdown() {
  if (closing_ || !client_->blocked || client_->blocked->kind != Blocked::Kind::Shutdown) return;
  client_->blocked.reset();
  client_->publish_flags();
  if (client_->reply_mode == ReplyMode::On) {
    resp::ReplyWriter(worker_.shared_output(), client_->resp).error("ERR Errors trying to SHUTDOWN. Check logs.");
  }
  leave_wait();
}

/// Sends what the wait has led to and goes on.
void Connection::leave_wait() {
  worker_.note_unblocked(client_->id);
  const Instant now = worker_.now();
  if (!client_->held.empty() ? !send_held(now) : !flush(now)) return;
  if (!waits_for_drain_) go_on();
}

bool Connection::send_held(Instant now) {
  OutputBuffer& out = worker_.shared_output();
  if (!worker_.dispatcher().settle_held(*client_, out, now)) {
    client_->publish_flags();
    start_wait();
    return false;
  }
  for (HeldReplies& replies : std::exchange(client_->held, {})) {
    out = std::move(replies.bytes);
    if (!flush(now)) return false;
  }
  if (client_->closes_after_held) close_after_writes(now);
  return !closing_;
}

void Connection::check_limits(Instant now) {
  if (closing_) {
    check_last_reply(now);
    return;
  }
  if (over_output_limit(stream_.pending_bytes(), now)) {
    close_over_output_limit();
    return;
  }
  if (client_->blocked) {
    // What was sent before the end waits only for room, a moment.
    if (!waits_for_room() && !stream_.reading() && peer_has_gone(stream_.fd())) close();
    return;
  }
  const std::int64_t timeout = worker_.state().settings->timeout;
  if (timeout > 0 && !client_->monitoring && now.ms - client_->last_activity_ms > timeout * kSecondMs) close();
}

/// A peer that does not read its last replies must not keep the connection for ever.
void Connection::check_last_reply(Instant now) {
  const std::size_t left = stream_.pending_bytes();
  if (left < last_reply_left_) {
    last_reply_left_ = left;
    last_reply_progress_ = now;
  } else if (now.ms - last_reply_progress_.ms > kLastReplyMs) {
    close();
  }
}

void Connection::publish() {
  client_->query_buffer = tail_.size() - progress_.taken();
  client_->query_buffer_free = tail_.capacity() - tail_.size();
  client_->argument_bytes = progress_.parsed_bytes;
  client_->input_memory = tail_.capacity() + progress_.parsed.capacity() * sizeof(progress_.parsed[0]);
  publish_output();
}

void Connection::publish_output() {
  client_->output_queue = stream_.pending_memory();
  client_->output_shared = stream_.pending_shared_memory();
}

/// Before the reply is sent: who has read it must miss no line.
void Connection::list_as_monitor() {
  if (client_->monitoring == listed_as_monitor_) return;
  listed_as_monitor_ = client_->monitoring;
  worker_.note_monitor(client_->id, listed_as_monitor_);
}

}  // namespace magpie::server
