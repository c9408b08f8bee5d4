#include "server/arbiter/remote_requests.h"

#include <iterator>
#include <utility>

#include "server/arbiter/convert.h"

namespace magpie::arbiter {
namespace {

using cluster::ArbiterError;
using cluster::Revision;
using wire::arbiter::Message;

void set_number(Message& message, std::uint64_t number) {
  if (auto* const read = std::get_if<wire::arbiter::Read>(&message)) {
    read->id = number;
  } else {
    std::get<wire::arbiter::Transact>(message).id = number;
  }
}

}  // namespace

std::optional<RemoteRequests::Clock::time_point> RemoteRequests::next_deadline() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->second.deadline;
}

std::uint64_t RemoteRequests::add(Message message, Clock::time_point deadline, OnResult on_result) {
  set_number(message, ++last_);
  waiting_.emplace(last_, Waiting{deadline, std::move(message), std::move(on_result), {}});
  return last_;
}

std::vector<Message> RemoteRequests::take_unsent() {
  std::vector<Message> messages;
  for (auto& [number, waiting] : waiting_) {
    if (waiting.unsent) messages.push_back(*std::exchange(waiting.unsent, std::nullopt));
  }
  return messages;
}

std::optional<RemoteRequests::Ending> RemoteRequests::answered(wire::arbiter::Answer answer) {
  const auto at = waiting_.find(answer.id);
  if (at == waiting_.end() || at->second.unsent) return std::nullopt;
  auto& entries = at->second.entries;
  auto more = from_wire(std::move(answer.entries));
  entries.insert(entries.end(), std::move_iterator(more.begin()), std::move_iterator(more.end()));
  if (answer.more) return std::nullopt;
  return end(at, cluster::TransactionResult{answer.succeeded, Revision{answer.revision}, std::move(entries)});
}

std::optional<RemoteRequests::Ending> RemoteRequests::refused(const wire::arbiter::Refused& refused) {
  const auto at = waiting_.find(refused.id);
  if (at == waiting_.end() || at->second.unsent) return std::nullopt;
  return end(at, std::unexpected(ArbiterError{refused.reason}));
}

std::vector<RemoteRequests::Ending> RemoteRequests::lost(const std::string& error) {
  std::vector<Ending> endings;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto next = std::next(at);
    if (!at->second.unsent) endings.push_back(end(at, std::unexpected(ArbiterError{error})));
    at = next;
  }
  return endings;
}

std::vector<RemoteRequests::Ending> RemoteRequests::expired(Clock::time_point now, const std::string& error_sent,
                                                            const std::string& error_unsent, bool& sent) {
  std::vector<Ending> endings;
  while (!waiting_.empty() && waiting_.begin()->second.deadline <= now) {
    const bool was_sent = !waiting_.begin()->second.unsent;
    sent = sent || was_sent;
    endings.push_back(end(waiting_.begin(), std::unexpected(ArbiterError{was_sent ? error_sent : error_unsent})));
  }
  return endings;
}

RemoteRequests::Ending RemoteRequests::end(All::iterator at, Result result) {
  OnResult on_result = std::move(at->second.on_result);
  waiting_.erase(at);
  return [on_result = std::move(on_result), result = std::move(result)]() mutable { on_result(std::move(result)); };
}

}  // namespace magpie::arbiter
