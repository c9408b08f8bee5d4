#include "tests/sim/network.h"

#include <algorithm>
#include <utility>

namespace magpie::sim {
namespace {

constexpr milliseconds kRetransmit{50};

}  // namespace

nanoseconds Network::latency(Place from, Place to) {
  const nanoseconds most = path(from, to).slow > 0 ? milliseconds(300) : milliseconds(2);
  return random_.between(std::chrono::microseconds(50), random_.one_in(50) ? most * 4 : most);
}

void Network::datagram(Place from, Place to, const std::function<void()>& deliver) {
  if (cut(from, to)) return;
  const bool lossy = path(from, to).lossy > 0;
  if (lossy && random_.percent(33)) return;
  schedule_->after(latency(from, to), [this, from, to, deliver] {
    if (!cut(from, to)) deliver();
  });
  if (lossy && random_.percent(10)) schedule_->after(latency(from, to) * 3, deliver);
}

void Network::request(Place from, Place to, Task deliver) {
  if (cut(from, to)) return;
  schedule_->after(latency(from, to), std::move(deliver));
}

void Network::send(const StreamPtr& stream, Place from, Task deliver) {
  if (!stream->open_) return;
  const std::size_t end = stream->ends_[0].place == from ? 0 : 1;
  Stream::Way& way = stream->ways_[end];
  way.last = std::max(way.last, schedule_->now() + latency(from, stream->ends_[1 - end].place));
  way.waiting.emplace_back(way.last, std::move(deliver));
  if (!way.pumping) pump(stream, end);
}

void Network::pump(const StreamPtr& stream, std::size_t end) {
  Stream::Way& way = stream->ways_[end];
  way.pumping = !way.waiting.empty();
  if (!way.pumping) return;
  schedule_->at(way.waiting.front().first, [this, stream, end] {
    Stream::Way& due = stream->ways_[end];
    if (due.waiting.empty()) {
      due.pumping = false;
      return;
    }
    if (cut(stream->ends_[end].place, stream->ends_[1 - end].place)) {
      due.waiting.front().first = schedule_->now() + kRetransmit;
    } else {
      Task deliver = std::move(due.waiting.front().second);
      due.waiting.pop_front();
      deliver();
    }
    pump(stream, end);
  });
}

void Network::tell_closed(const StreamPtr& stream, std::size_t end) {
  const Place from = stream->ends_[1 - end].place;
  const Place to = stream->ends_[end].place;
  const nanoseconds delay = cut(from, to) ? nanoseconds(kRetransmit) : latency(from, to);
  schedule_->after(delay, [this, stream, end, from, to] {
    if (cut(from, to)) return tell_closed(stream, end);
    if (stream->ends_[end].closed) std::exchange(stream->ends_[end].closed, nullptr)();
  });
}

void Network::close(const StreamPtr& stream, Place by) {
  if (!stream->open_) return;
  stream->open_ = false;
  const std::size_t end = stream->ends_[0].place == by ? 0 : 1;
  stream->ends_[end].closed = nullptr;
  // What is on its way from the one who closes still arrives; what goes there is lost.
  stream->ways_[1 - end].waiting.clear();
  tell_closed(stream, 1 - end);
}

void Network::reset(const StreamPtr& stream) {
  if (!stream->open_) return;
  stream->open_ = false;
  for (std::size_t end = 0; end < 2; ++end) {
    stream->ways_[end].waiting.clear();
    tell_closed(stream, end);
  }
}

}  // namespace magpie::sim
