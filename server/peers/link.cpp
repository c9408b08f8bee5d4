#include "server/peers/link.h"

#include <variant>

#include "protocol/wire/frame.h"

namespace magpie::server {
namespace {

constexpr std::size_t kRead = std::size_t{128} << 10;  // bytes at a time

}  // namespace

Link::Link(net::Loop& loop, int fd, LinkOwner& owner) : owner_(owner), stream_(loop, fd, *this) {
  stream_.start_reading();
}

void Link::flush() {
  if (!out_.empty()) stream_.write(out_);
}

std::span<char> Link::read_buffer() { return {in_.reserve(kRead), kRead}; }

void Link::on_read(std::size_t bytes) {
  in_.commit(bytes);
  std::size_t taken = 0;
  std::string wrong;
  while (wrong.empty()) {
    const auto parsed = wire::parse_frame(in_.view().substr(taken));
    if (std::holds_alternative<wire::NeedMore>(parsed)) break;
    if (const auto* error = std::get_if<wire::FrameError>(&parsed)) {
      wrong = "it sent " + error->what;
      break;
    }
    const auto& frame = std::get<wire::Frame>(parsed);
    taken += frame.consumed;
    const auto message = decoder_.decode(frame.payload);
    if (!message) {
      wrong = "it sent a message that cannot be read: " + message.error();
    } else if (auto accepted = owner_.on_message(*message, frame.consumed); !accepted) {
      wrong = std::move(accepted.error());
    }
  }
  in_.consume(taken);
  if (wrong.empty()) {
    owner_.on_caught_up();
  } else {
    flush();  // why it ends, for the peer
    stream_.close();
    owner_.on_end(wrong);
  }
}

void Link::on_end(const char* error) {
  stream_.close();
  owner_.on_end(error == nullptr ? kClosedByPeer : error);
}

}  // namespace magpie::server
