#include "server/arbiter/remote_link.h"

#include <utility>
#include <variant>

#include "server/arbiter/limits.h"

namespace magpie::arbiter {

using wire::arbiter::Accepted;
using wire::arbiter::Message;
using wire::arbiter::Refusal;
using wire::arbiter::Welcome;

namespace {

bool is_answer(const Message& message) {
  return std::holds_alternative<wire::arbiter::Answer>(message) ||
         std::holds_alternative<wire::arbiter::Refused>(message) ||
         std::holds_alternative<wire::arbiter::Changed>(message);
}

}  // namespace

RemoteLink::RemoteLink(net::Loop& loop, const Endpoint& endpoint, const Identity& identity, std::string node,
                       Owner& owner)
    : loop_(loop), handshake_(identity, draw_nonce()), node_(std::move(node)), owner_(owner), deadline_(loop, [this] {
        fail("it did not take the connection within " + std::to_string(kConnectTime.count()) + " ms");
      }) {
  deadline_.start_once(kConnectTime);
  connector_.emplace(loop, endpoint.host, endpoint.port, [this](std::expected<int, net::Connector::Error> socket) {
    if (socket) {
      connected(*socket);
    } else {
      fail(socket.error().message);
    }
  });
}

void RemoteLink::connected(int fd) {
  phase_ = Phase::Welcome;
  stream_.emplace(loop_, fd, static_cast<net::StreamHandler&>(*this));
  stream_->start_reading();
  send(handshake_.hello(node_));
}

void RemoteLink::send(const Message& message) {
  append_message(output_.own(), message);
  stream_->write(output_);
}

void RemoteLink::close() {
  phase_ = Phase::Closed;
  deadline_.stop();
  if (stream_) stream_->close();
}

void RemoteLink::fail(const std::string& why) {
  if (phase_ == Phase::Closed) return;
  close();
  owner_.lost(why);
}

void RemoteLink::on_end(const char* error) { fail(error == nullptr ? "it closed the connection" : error); }

void RemoteLink::on_read(std::size_t bytes) {
  input_.filled(bytes);
  while (phase_ != Phase::Closed) {
    const auto payload = input_.next(phase_ == Phase::Open ? wire::kMostFrame : kMostHandshakeFrame);
    if (!payload) return fail("it sent " + payload.error());
    if (!*payload) return;
    auto message = wire::arbiter::decode_message(**payload);
    if (!message) return fail("it sent " + message.error());
    handle(*message);
  }
}

void RemoteLink::handle(Message& message) {
  if (const auto* const refusal = std::get_if<Refusal>(&message)) return fail("it refuses: " + refusal->reason);
  if (phase_ == Phase::Open && is_answer(message)) return owner_.received(message);
  if (const auto* const welcome = std::get_if<Welcome>(&message); welcome != nullptr && phase_ == Phase::Welcome) {
    return log_in(*welcome);
  }
  if (!std::holds_alternative<Accepted>(message) || phase_ != Phase::Accepted)
    return fail("it sent a message out of turn");
  phase_ = Phase::Open;
  deadline_.stop();
  owner_.opened();
}

void RemoteLink::log_in(const Welcome& welcome) {
  const auto login = handshake_.log_in(welcome, owner_.highest_term());
  if (!login) return fail(login.error());
  phase_ = Phase::Accepted;
  send(*login);
}

}  // namespace magpie::arbiter
