#include "tests/sim/sim_arbiter.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace magpie::sim {
namespace {

/// Then a caller that has no answer gets an error.
constexpr milliseconds kPatience{2'500};

}  // namespace

/// Takes a request there and its answer back. Whichever comes first, answer or error, is the only one.
template <class Call, class Answer>
void SimArbiter::serve(Place from, Call call, Answer answer, bool writes) {
  auto waiting = std::make_shared<Answer>(std::move(answer));
  const auto tell = [waiting](auto result) {
    if (*waiting) std::exchange(*waiting, nullptr)(std::move(result));
  };
  schedule_->after(kPatience, [tell] { tell(std::unexpected(cluster::ArbiterError{"no answer"})); });
  network_->request(from, kArbiter, [this, from, tell, writes, call = std::move(call)]() mutable {
    const nanoseconds delay =
        writes && late > 0 ? random_.between(milliseconds(100), milliseconds(1'500)) : nanoseconds(600'000);
    schedule_->after(delay, [this, from, tell, call = std::move(call)]() mutable {
      auto result = call();
      if (deaf > 0 && random_.percent(50)) return;
      network_->request(kArbiter, from, [tell, result = std::move(result)]() mutable { tell(std::move(result)); });
    });
  });
}

void SimArbiter::read(Place from, std::vector<std::string> keys, OnRead on_read) {
  const auto call = [this, keys = std::move(keys)] { return cluster::ReadResult{revision_, entries(keys)}; };
  serve(from, call, std::move(on_read), false);
}

void SimArbiter::transact(Place from, cluster::Transaction transaction, OnDecision on_decision) {
  const auto call = [this, transaction = std::move(transaction)] { return apply(transaction); };
  serve(from, call, std::move(on_decision), true);
}

bool SimArbiter::holds(const cluster::Transaction::Compare& compare) const {
  const auto found = states_.find(compare.key);
  return compare.changed == (found == states_.end() ? cluster::Revision{} : found->second.changed);
}

cluster::TransactionResult SimArbiter::apply(const cluster::Transaction& transaction) {
  const bool good = std::ranges::all_of(transaction.compares, [this](const auto& compare) { return holds(compare); });
  if (good) {
    ++revision_.number;
    for (const auto& write : transaction.writes) {
      if (write.value) {
        states_[write.key] = {*write.value, revision_};
      } else {
        states_.erase(write.key);
      }
    }
    for (const OnChange& watcher : watchers_) watcher();
  }
  return {good, revision_, entries(transaction.reads)};
}

std::vector<cluster::ArbiterEntry> SimArbiter::entries(const std::vector<std::string>& keys) const {
  std::vector<cluster::ArbiterEntry> entries;
  for (const std::string& key : keys) {
    const auto found = states_.find(key);
    if (found != states_.end()) entries.push_back({key, found->second.value, found->second.changed});
  }
  return entries;
}

const std::string* SimArbiter::value(const std::string& key) const {
  const auto found = states_.find(key);
  return found == states_.end() ? nullptr : &found->second.value;
}

void SimArbiter::put(const std::string& key, const std::string& value) { apply({{}, {{key, value}}, {}}); }

void SimArbiter::lose_everything() {
  states_.clear();
  revision_ = {};
}

}  // namespace magpie::sim
