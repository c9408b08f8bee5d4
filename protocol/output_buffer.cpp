#include "protocol/output_buffer.h"

#include <algorithm>

#include "protocol/check.h"

namespace magpie {

OutputBuffer& OutputBuffer::operator=(OutputBuffer&& other) noexcept {
  std::swap(own_, other.own_);
  std::swap(own_taken_, other.own_taken_);
  std::swap(shared_, other.shared_);
  std::swap(next_, other.next_);
  std::swap(next_taken_, other.next_taken_);
  std::swap(shared_bytes_, other.shared_bytes_);
  std::swap(shared_held_, other.shared_held_);
  return *this;
}

void OutputBuffer::append(SharedBytes bytes) {
  if (bytes.size() == 0) return;
  shared_bytes_ += bytes.size();
  shared_held_ += bytes.size();
  shared_.push_back({own_.size(), std::move(bytes)});
}

std::size_t OutputBuffer::pieces(std::span<ByteView> pieces) const {
  std::size_t count = 0;
  std::size_t own_at = own_taken_;
  const auto add_own = [&](std::size_t end) {
    if (count < pieces.size() && end > own_at) pieces[count++] = own_.view().substr(own_at, end - own_at);
    own_at = end;
  };
  std::size_t skipped = next_taken_;
  for (std::size_t i = next_; i < shared_.size() && count < pieces.size(); ++i) {
    add_own(shared_[i].at);
    if (count < pieces.size()) pieces[count++] = shared_[i].bytes.view().substr(std::exchange(skipped, 0));
  }
  add_own(own_.size());
  return count;
}

void OutputBuffer::consume(std::size_t count) {
  DCHECK(count <= size());
  while (count > 0) {
    const bool shared_left = has_shared();
    const std::size_t own_left = (shared_left ? shared_[next_].at : own_.size()) - own_taken_;
    const std::size_t own_now = std::min(count, own_left);
    own_taken_ += own_now;
    count -= own_now;
    if (count == 0 || !shared_left) return;
    SharedBytes& bytes = shared_[next_].bytes;
    const std::size_t now = std::min(count, bytes.size() - next_taken_);
    count -= now;
    shared_bytes_ -= now;
    next_taken_ += now;
    if (next_taken_ < bytes.size()) return;
    shared_held_ -= bytes.size();
    bytes = {};
    ++next_;
    next_taken_ = 0;
  }
}

void OutputBuffer::truncate(std::size_t size) {
  DCHECK(own_taken_ == 0 && next_ == 0 && next_taken_ == 0);
  while (!shared_.empty() && shared_.back().at + shared_bytes_ > size) {
    shared_bytes_ -= shared_.back().bytes.size();
    shared_.pop_back();
  }
  shared_held_ = shared_bytes_;
  own_.truncate(size - shared_bytes_);
}

OutputBuffer OutputBuffer::split(std::size_t size) {
  DCHECK(own_taken_ == 0 && next_ == 0 && next_taken_ == 0);
  OutputBuffer rest;
  std::size_t shared_before = shared_bytes_;
  std::size_t first = shared_.size();
  while (first > 0 && shared_[first - 1].at + shared_before > size) shared_before -= shared_[--first].bytes.size();
  const std::size_t own_before = size - shared_before;
  rest.own_.append(own_.view().substr(own_before));
  for (std::size_t i = first; i < shared_.size(); ++i) {
    rest.shared_.push_back({shared_[i].at - own_before, std::move(shared_[i].bytes)});
  }
  rest.shared_bytes_ = rest.shared_held_ = shared_bytes_ - shared_before;
  shared_.resize(first);
  shared_bytes_ = shared_held_ = shared_before;
  own_.truncate(own_before);
  return rest;
}

void OutputBuffer::clear() {
  own_.truncate(0);
  shared_.clear();
  own_taken_ = next_ = next_taken_ = shared_bytes_ = shared_held_ = 0;
}

void OutputBuffer::release() { *this = OutputBuffer(); }

}  // namespace magpie
