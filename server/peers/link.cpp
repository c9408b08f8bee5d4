#include "server/peers/link.h"

#include <utility>
#include <variant>

#include "protocol/check.h"
#include "protocol/wire/frame.h"

namespace magpie::server {
namespace {

constexpr std::size_t kRead = std::size_t{128} << 10;  // bytes at a time

}  // namespace

Link::Link(net::Loop& loop, int fd, LinkOwner& owner, std::unique_ptr<net::StreamFilter> filter)
    : owner_(owner), filter_(std::move(filter)), stream_(loop, fd, *this) {
  stream_.start_reading();
  if (filter_ == nullptr) return;
  filter_->begin(sealed_.own());
  send_sealed();
}

void Link::flush() {
  if (out_.empty()) return;
  if (filter_ == nullptr) return stream_.write(out_);
  if (!filter_->ready()) return;
  filter_->seal(out_.own().view(), sealed_.own());
  out_.clear();
  send_sealed();
}

void Link::send_sealed() {
  if (!sealed_.empty()) stream_.write(sealed_);
}

void Link::stop_reading() {
  CHECK(filter_ == nullptr);
  stream_.stop_reading();
}

std::span<char> Link::read_buffer() {
  ByteBuffer& to = filter_ == nullptr ? in_ : arrived_;
  return {to.reserve(kRead), kRead};
}

void Link::on_read(std::size_t bytes) {
  if (filter_ == nullptr) {
    in_.commit(bytes);
  } else if (const auto opened = open_arrived(bytes); !opened) {
    return end(opened.error());
  }
  if (const auto read = read_frames(); !read) {
    flush();  // why it ends, for the peer
    return end(read.error());
  }
  owner_.on_caught_up();
}

std::expected<void, std::string> Link::open_arrived(std::size_t bytes) {
  arrived_.commit(bytes);
  auto opened = filter_->open(arrived_.view(), in_, sealed_.own());
  arrived_.truncate(0);
  send_sealed();
  if (opened) flush();  // it may be ready now
  return opened;
}

/// All that are there; an error is what is wrong with what the peer sent.
std::expected<void, std::string> Link::read_frames() {
  std::size_t taken = 0;
  std::expected<void, std::string> read;
  while (read) {
    const auto parsed = wire::parse_frame(in_.view().substr(taken));
    if (std::holds_alternative<wire::NeedMore>(parsed)) break;
    if (const auto* error = std::get_if<wire::FrameError>(&parsed)) {
      read = std::unexpected("it sent " + error->what);
      break;
    }
    const auto& frame = std::get<wire::Frame>(parsed);
    taken += frame.consumed;
    const auto message = decoder_.decode(frame.payload);
    if (message) {
      read = owner_.on_message(*message, frame.consumed);
    } else {
      read = std::unexpected("it sent a message that cannot be read: " + message.error());
    }
  }
  in_.consume(taken);
  return read;
}

void Link::end(const std::string& why) {
  stream_.close();
  owner_.on_end(why);
}

void Link::on_end(const char* error) { end(error == nullptr ? kClosedByPeer : error); }

}  // namespace magpie::server
