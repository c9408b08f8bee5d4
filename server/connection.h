#pragma once

#include <memory>
#include <optional>
#include <string>

#include "protocol/byte_buffer.h"
#include "protocol/command_parser.h"
#include "server/dispatcher.h"
#include "server/net/stream.h"
#include "server/net/timer.h"
#include "server/state/client_state.h"

namespace magpie::server {

class LoopWorker;

/// One client's socket: feeds what it sends to the dispatcher and sends the replies. Owned by its loop's worker; the
/// loop's thread only.
class Connection final : private net::StreamHandler {
 public:
  Connection(LoopWorker& worker, int fd, std::shared_ptr<ClientState> client);
  ~Connection();

  ClientState& client() { return *client_; }

  /// Sends the replies in `bytes` that no command of this client asked for (MONITOR); empties it. One that leaves too
  /// many of them unread is closed.
  void send_unasked(OutputBuffer& bytes);
  /// Closes at once, also while the last replies are being sent.
  void close();
  /// Ends a wait (time-out, CLIENT UNBLOCK, end of a pause) and goes on with what the client sent meanwhile.
  void end_wait(bool with_error);
  /// Ends the wait of SHUTDOWN, if it is one: the server goes on.
  void refuse_shutdown();
  /// What was read in this turn of the loop and waits to be executed together with other clients' (ReadBatch).
  Dispatcher::Head gathered() { return {client_.get(), gathered_, &progress_}; }
  /// Executes it, as the dispatcher's head `number`.
  void run_gathered(std::size_t number, Instant now);
  /// Called now and then: idle time-out, soft limits of the output buffer, peers that are gone unnoticed.
  void check_limits(Instant now);

 private:
  std::span<char> read_buffer() override;
  void on_read(std::size_t bytes) override;
  void on_end(const char* error) override;
  void on_drained() override;

  /// Executes `input`, which lies in the shared read buffer or is the whole of `tail_`; `head` as in run_gathered().
  void process(ByteView input, Instant now, std::optional<std::size_t> head = {});
  /// Of a burst that ended so. False if nothing more is to be executed.
  bool send_replies(Dispatcher::State state, Instant now);
  bool waits_for_room() const;
  void leave_wait();
  /// After a wait or a drain: executes what has been received, then reads again.
  void go_on();
  void keep_rest(ByteView input, std::size_t consumed);
  std::size_t query_limit() const;
  bool over_queue_limit(std::size_t unread) const;
  bool over_query_limit() const;
  void close_over_query_limit();
  bool over_output_limit(std::size_t bytes, Instant now);
  /// Sends the replies that were held, or waits on. False if the connection is closed or waits.
  bool send_held(Instant now);
  /// Sends the shared output. False if the connection is closed.
  bool flush(Instant now);
  void close_over_output_limit();
  void close_after_writes(Instant now);
  void check_last_reply(Instant now);
  void start_wait();
  void publish();
  void publish_output();
  void list_as_monitor();

  LoopWorker& worker_;
  std::shared_ptr<ClientState> client_;
  resp::ParseCursor progress_;
  ByteView gathered_;  // received in this turn, in the shared read buffer; tail_ is empty then
  ByteBuffer tail_;  // received but not executed
  std::size_t at_least_ = 0;  // bytes that the unfinished command in tail_ needs
  bool waits_for_drain_ = false;
  bool ended_ = false;  // the peer sends no more, but not all that it sent is executed
  bool listed_as_monitor_ = false;
  bool closing_ = false;  // executes and reads nothing more
  Instant last_reply_progress_{};  // while closing: when the peer last took something
  std::size_t last_reply_left_ = 0;  // and what was left then
  std::optional<Instant> over_soft_limit_since_;
  std::unique_ptr<net::Timer> wait_timer_;
  net::Stream stream_;  // last: closes first
};

}  // namespace magpie::server
