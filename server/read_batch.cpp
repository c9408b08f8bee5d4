#include "server/read_batch.h"

#include <algorithm>
#include <utility>

#include "protocol/check.h"
#include "server/connection.h"
#include "server/limits.h"

namespace magpie::server {

ReadBatch::ReadBatch() : buffer_(kReadBuffer + kGatheredReads) {}

void ReadBatch::add(Connection& connection, std::size_t bytes, Dispatcher& dispatcher) {
  DCHECK(!full());
  used_ += bytes;
  connections_[count_] = &connection;
  dispatcher.look_ahead(count_++, connection.gathered());
}

bool ReadBatch::full() const { return count_ == connections_.size() || used_ >= kGatheredReads; }

void ReadBatch::run(Dispatcher& dispatcher, const LoopState& loop) {
  for (std::size_t i = 0; i < count_; ++i) {
    if (connections_[i] != nullptr) connections_[i]->run_gathered(i, loop.read_time);
    // Only now, so that nothing waits for a bucket which was asked for a moment ago.
    if (i < Dispatcher::kFetchSteps && i + 1 < count_) dispatcher.fetch_last_heads(count_);
  }
  used_ = 0;
  count_ = 0;
}

void ReadBatch::forget(Connection& connection) {
  std::ranges::replace(connections_, &connection, static_cast<Connection*>(nullptr));
}

}  // namespace magpie::server
