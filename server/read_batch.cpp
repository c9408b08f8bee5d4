#include "server/read_batch.h"

#include <algorithm>
#include <utility>

#include "protocol/check.h"
#include "server/connection.h"
#include "server/limits.h"

namespace magpie::server {

ReadBatch::ReadBatch() : buffer_(kReadBuffer + kGatheredReads) {}

void ReadBatch::add(Connection& connection, std::size_t bytes) {
  DCHECK(!full());
  used_ += bytes;
  connections_[count_++] = &connection;
}

bool ReadBatch::full() const { return count_ == connections_.size() || used_ >= kGatheredReads; }

void ReadBatch::run(Dispatcher& dispatcher, Instant now) {
  std::array<Dispatcher::Head, Dispatcher::kHeads> heads;
  for (std::size_t i = 0; i < count_; ++i) heads[i] = connections_[i]->gathered();
  dispatcher.look_ahead(std::span(heads).first(count_));
  for (std::size_t i = 0; i < count_; ++i) connections_[i]->run_gathered(i, now);
  used_ = 0;
  count_ = 0;
}

void ReadBatch::forget(const Connection& connection) {
  const auto end = connections_.begin() + static_cast<std::ptrdiff_t>(count_);
  count_ = static_cast<std::size_t>(std::remove(connections_.begin(), end, &connection) - connections_.begin());
}

}  // namespace magpie::server
