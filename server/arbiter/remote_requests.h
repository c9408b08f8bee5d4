#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cluster/arbiter/arbiter.h"
#include "protocol/wire/arbiter_messages.h"

namespace magpie::arbiter {

/// The requests of a client that wait for their answers, by number; those asked earlier have the lower one and end
/// earlier. Calls no callback itself: what is over is handed out as something to be called. One thread.
class RemoteRequests {
 public:
  using Clock = std::chrono::steady_clock;
  using Result = std::expected<cluster::TransactionResult, cluster::ArbiterError>;
  using Ending = std::move_only_function<void()>;
  using OnResult = std::move_only_function<void(Result)>;

  std::size_t size() const { return waiting_.size(); }
  std::optional<Clock::time_point> next_deadline() const;

  /// Returns its number, which is also that of `message` (a Read or Transact) from now on. It is unsent.
  std::uint64_t add(wire::arbiter::Message message, Clock::time_point deadline, OnResult on_result);
  /// All unsent messages, in order; from now on they are sent.
  std::vector<wire::arbiter::Message> take_unsent();

  /// Nothing if it is no request that waits, or more of the answer is to come.
  std::optional<Ending> answered(wire::arbiter::Answer answer);
  std::optional<Ending> refused(const wire::arbiter::Refused& refused);
  /// All that were sent end with this error.
  std::vector<Ending> lost(const std::string& error);
  /// Those whose time is over. Sets `sent` if one of them had been sent.
  std::vector<Ending> expired(Clock::time_point now, const std::string& error_sent, const std::string& error_unsent,
                              bool& sent);

 private:
  struct Waiting {
    Clock::time_point deadline;
    std::optional<wire::arbiter::Message> unsent;
    OnResult on_result;
    std::vector<cluster::ArbiterEntry> entries;  // of the answer's parts so far
  };
  using All = std::map<std::uint64_t, Waiting>;
  Ending end(All::iterator at, Result result);

  All waiting_;
  std::uint64_t last_ = 0;
};

}  // namespace magpie::arbiter
