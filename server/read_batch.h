#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "protocol/bytes.h"
#include "server/dispatcher.h"

namespace magpie::server {

class Connection;

/// What several connections of a loop sent in one of its turns and what is not executed yet, in the read buffer that
/// they share. Executing it together lets the cache misses of many clients' single commands overlap, as those of one
/// client's pipeline do. The loop's thread only; owns the buffer, not the connections.
class ReadBatch {
 public:
  ReadBatch();

  /// Where the next read goes: at least kReadBuffer bytes.
  std::span<char> space() { return std::span(buffer_).subspan(used_); }
  /// The `bytes` that were read to the start of space().
  ByteView received(std::size_t bytes) const { return {buffer_.data() + used_, bytes}; }
  /// Keeps these bytes, which `connection` has as its gathered() input, until run(), and looks at them ahead.
  void add(Connection& connection, std::size_t bytes, Dispatcher& dispatcher);
  bool empty() const { return count_ == 0; }
  /// Nothing more may be added: run() it.
  bool full() const;

  /// Executes everything, in the order of arrival, at the time that `loop` has read last; empty afterwards.
  void run(Dispatcher& dispatcher, const LoopState& loop);
  /// Drops what `connection`, which goes away, has here.
  void forget(Connection& connection);

 private:
  std::vector<char> buffer_;
  std::size_t used_ = 0;
  std::array<Connection*, Dispatcher::kHeads> connections_{};  // nullptr: gone
  std::size_t count_ = 0;
};

}  // namespace magpie::server
