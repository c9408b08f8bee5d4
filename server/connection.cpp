#include "server/connection.h"

#include <algorithm>

#include "server/limits.h"
#include "server/loop_worker.h"
#include "server/state/clock.h"

namespace magpie::server {

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
  if (closing_) return;
  closing_ = true;
  stream_.close();
  worker_.retire(client_->id);
}

std::span<char> Connection::read_buffer() {
  if (tail_.empty()) return worker_.shared_read_buffer();
  const std::size_t wanted = at_least_ > tail_.size() ? at_least_ - tail_.size() : 0;
  const std::size_t room = std::clamp(wanted, kReadBuffer / 4, kReserveAhead);
  return {tail_.reserve(room), tail_.capacity() - tail_.size()};
}

void Connection::on_read(std::size_t bytes) {
  worker_.state().statistics->net_input_bytes.add(bytes);
  worker_.state().statistics->total_reads_processed.add(1);
  if (tail_.empty()) {
    process({worker_.shared_read_buffer().data(), bytes});
    return;
  }
  tail_.commit(bytes);
  if (tail_.size() > static_cast<std::size_t>(worker_.state().settings->client_query_buffer_limit)) {
    worker_.state().statistics->query_limit_disconnections.add(1);
    close();
    return;
  }
  if (client_->blocked) {
    // Reading on would only pile up; the end of the wait starts it again.
    if (tail_.size() > kReadBuffer) stream_.stop_reading();
    return;
  }
  process(tail_.view());
}

void Connection::on_end(const char*) {
  if (!closing_) close();
}

void Connection::close_after_writes() {
  closing_ = true;
  closing_since_ = worker_.now();
  const bool sent = stream_.pending_bytes() == 0;
  stream_.close_after_writes();
  if (sent) worker_.retire(client_->id);
}

void Connection::on_drained() {
  if (closing_) {
    worker_.retire(client_->id);
    return;
  }
  if (!waits_for_drain_) return;
  waits_for_drain_ = false;
  over_soft_limit_since_.reset();
  go_on();
}

void Connection::go_on() {
  if (!tail_.empty()) process(tail_.view());
  if (!closing_ && !waits_for_drain_ && !stream_.reading()) stream_.start_reading();
}

void Connection::process(ByteView input) {
  ByteBuffer& out = worker_.shared_output();
  std::size_t consumed = 0;
  while (true) {
    const Dispatcher::Outcome outcome =
        worker_.dispatcher().run(*client_, input.substr(consumed), progress_, out, worker_.now());
    consumed += outcome.consumed;
    at_least_ = outcome.at_least;
    if (!flush()) return;
    if (outcome.state == Dispatcher::State::Close) {
      close_after_writes();
      return;
    }
    if (outcome.state == Dispatcher::State::OutputFull && stream_.pending_bytes() == 0) continue;
    if (stream_.pending_bytes() > 0 && stream_.pending_bytes() >= kOutputHighWater) {
      waits_for_drain_ = true;
      stream_.stop_reading();
    } else if (outcome.state == Dispatcher::State::OutputFull) {
      waits_for_drain_ = true;  // little is left to send, but it must be gone before the rest runs
    }
    if (outcome.state == Dispatcher::State::Blocked) start_wait();
    break;
  }
  keep_rest(input, consumed);
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

bool Connection::flush() {
  ByteBuffer& out = worker_.shared_output();
  if (out.empty()) return true;
  LoopStatistics& statistics = *worker_.state().statistics;
  if (over_output_limit(stream_.pending_bytes() + out.size(), worker_.now())) {
    statistics.output_limit_disconnections.add(1);
    out.truncate(0);
    close();
    return false;
  }
  statistics.net_output_bytes.add(out.size());
  statistics.total_writes_processed.add(1);
  stream_.write(out);
  if (out.capacity() > kKeptBuffer) out.release();
  return !closing_;
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
  constexpr std::int64_t kSecondMs = 1000;
  return now.ms - over_soft_limit_since_->ms > limit.soft_seconds * kSecondMs;
}

void Connection::send(ByteBuffer& bytes) {
  if (closing_) return;
  if (over_output_limit(stream_.pending_bytes() + bytes.size(), worker_.now())) {
    worker_.state().statistics->output_limit_disconnections.add(1);
    close();
    return;
  }
  stream_.write(bytes);
}

void Connection::start_wait() {
  const std::optional<Instant> until = client_->blocked->until;
  worker_.note_blocked(client_->id);
  if (!until) return;
  if (wait_timer_ == nullptr) wait_timer_ = std::make_unique<net::Timer>(worker_.loop(), [this] { end_wait(false); });
  wait_timer_->start_once(std::chrono::milliseconds(std::max<std::int64_t>(until->ms - worker_.now().ms, 0)));
}

void Connection::end_wait(bool with_error) {
  if (closing_ || !client_->blocked) return;
  if (wait_timer_ != nullptr) wait_timer_->stop();
  worker_.dispatcher().finish_wait(*client_, worker_.shared_output(), with_error);
  worker_.note_unblocked(client_->id);
  if (!flush()) return;
  go_on();
}

void Connection::check_limits(Instant now) {
  if (closing_) {
    // A peer that never reads its last reply must not keep the connection for ever.
    if (now.ms - closing_since_.ms > kLastReplyMs) {
      stream_.close();
      worker_.retire(client_->id);
    }
    return;
  }
  if (over_output_limit(stream_.pending_bytes(), now)) {
    worker_.state().statistics->output_limit_disconnections.add(1);
    close();
    return;
  }
  const std::int64_t timeout = worker_.state().settings->timeout;
  constexpr std::int64_t kSecondMs = 1000;
  if (timeout > 0 && !client_->blocked && !client_->monitoring &&
      now.ms - client_->last_activity_ms > timeout * kSecondMs) {
    close();
  }
}

void Connection::publish() {
  client_->query_buffer = tail_.size();
  client_->query_buffer_free = tail_.capacity() - tail_.size();
  client_->output_queue = stream_.pending_memory();
}

}  // namespace magpie::server
