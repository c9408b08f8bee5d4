#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/operation.h"
#include "tests/sim/schedule.h"

namespace magpie::sim {

inline constexpr TrueTime kNoReply = TrueTime::max();

/// One command of a client and what it was told. Without a reply it may have taken effect, at any time.
struct Call {
  Operation operation;
  TrueTime begun;
  TrueTime ended = kNoReply;
  Reply reply;
  bool done() const { return reply.status == Reply::Status::Done; }
};

/// What clients have done and seen.
class History {
 public:
  std::size_t begin(const Operation& operation, TrueTime now) {
    calls_.push_back({operation, now, kNoReply, {}});
    return calls_.size() - 1;
  }
  void end(std::size_t call, const Reply& reply, TrueTime now) {
    calls_[call].reply = reply;
    if (reply.status == Reply::Status::Done) calls_[call].ended = now;
  }
  const std::vector<Call>& calls() const { return calls_; }

  /// Writes up to that value may be lost, and nothing that was seen until now says anything about what comes.
  void data_lost(Value last_value) {
    ancient_ = last_value;
    first_ = calls_.size();
  }
  Value ancient() const { return ancient_; }
  std::size_t first() const { return first_; }

 private:
  std::vector<Call> calls_;
  std::size_t first_ = 0;
  Value ancient_ = 0;
};

/// What is wrong with a history, in words; nothing if it could have been one copy of the data.
std::optional<std::string> check_registers(const History& history);
/// `lists` is what the lists hold in the end. With `all` every acknowledged push must be in them, and reads are
/// checked.
std::optional<std::string> check_lists(const History& history, const std::vector<std::vector<Value>>& lists, bool all);

}  // namespace magpie::sim
