#include "cluster/arbiter/store.h"

#include <algorithm>

#include "cluster/arbiter/limits.h"
#include "cluster/arbiter/store_limits.h"
#include "protocol/check.h"

namespace magpie::cluster {
namespace {

std::size_t bytes_of(const std::string& key, const std::optional<std::string>& value) {
  return value ? key.size() + value->size() : 0;
}

}  // namespace

Store::Store(States states, Revision revision) : states_(std::move(states)), revision_(revision) {
  for (const auto& [key, state] : states_) {
    CHECK(state.changed <= revision_);
    bytes_ += bytes_of(key, state.value);
    if (!state.value) gone_.emplace_back(state.changed, key);
  }
  std::ranges::sort(gone_);
}

std::expected<Store::Done, ArbiterError> Store::transact(const Transaction& transaction) {
  if (auto within = within_limits(transaction); !within) return std::unexpected(within.error());
  Done done;
  done.result.succeeded = holds(transaction.compares);
  if (done.result.succeeded) {
    done.changes = effective(transaction.writes);
    const std::size_t bytes = bytes_after(done.changes);
    if (bytes > kMostStoreBytes && bytes > bytes_) {
      return std::unexpected(ArbiterError{"the arbiter has no room: with this transaction it would hold " +
                                          std::to_string(bytes) + " bytes, and it takes at most " +
                                          std::to_string(kMostStoreBytes)});
    }
    if (!done.changes.empty()) apply(done.changes);
  }
  done.result.revision = revision_;
  done.result.entries = entries(transaction.reads);
  return done;
}

std::expected<ReadResult, ArbiterError> Store::read(const std::vector<std::string>& keys) const {
  if (auto within = within_limits(keys); !within) return std::unexpected(within.error());
  return ReadResult{revision_, entries(keys)};
}

Arbiter::Change Store::changes(std::string_view prefix, Revision after) const {
  Arbiter::Change change{.revision = revision_, .writes = {}};
  for (auto at = states_.lower_bound(prefix); at != states_.end() && at->first.starts_with(prefix); ++at) {
    if (at->second.changed > after) change.writes.push_back({at->first, at->second.value});
  }
  return change;
}

bool Store::replay(Revision revision, const std::vector<Transaction::Write>& changes) {
  if (revision.number != revision_.number + 1) return false;
  apply(changes);
  return true;
}

const Store::State* Store::find(std::string_view key) const {
  const auto found = states_.find(key);
  return found == states_.end() || !found->second.value ? nullptr : &found->second;
}

bool Store::holds(const std::vector<Transaction::Compare>& compares) const {
  return std::ranges::all_of(compares, [this](const Transaction::Compare& compare) {
    const State* const state = find(compare.key);
    return compare.changed == (state == nullptr ? Revision{} : state->changed);
  });
}

/// Without those that remove what there is not.
std::vector<Transaction::Write> Store::effective(const std::vector<Transaction::Write>& writes) const {
  std::vector<Transaction::Write> changes;
  std::ranges::copy_if(writes, std::back_inserter(changes),
                       [this](const Transaction::Write& write) { return write.value || find(write.key) != nullptr; });
  return changes;
}

std::size_t Store::bytes_after(const std::vector<Transaction::Write>& changes) const {
  std::size_t bytes = bytes_;
  for (const Transaction::Write& change : changes) {
    if (const State* const before = find(change.key)) bytes -= bytes_of(change.key, before->value);
    bytes += bytes_of(change.key, change.value);
  }
  return bytes;
}

std::vector<ArbiterEntry> Store::entries(std::vector<std::string> keys) const {
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());
  std::vector<ArbiterEntry> found;
  for (std::string& key : keys) {
    if (const State* const state = find(key)) found.push_back({std::move(key), *state->value, state->changed});
  }
  return found;
}

void Store::apply(const std::vector<Transaction::Write>& changes) {
  bytes_ = bytes_after(changes);
  ++revision_.number;
  for (const Transaction::Write& change : changes) {
    states_[change.key] = State{change.value, revision_};
    if (!change.value) remember_gone(change.key);
  }
}

void Store::remember_gone(const std::string& key) {
  gone_.emplace_back(revision_, key);
  if (gone_.size() <= kMostGoneKeys) return;
  const auto& [revision, oldest] = gone_.front();
  const auto state = states_.find(oldest);
  if (state != states_.end() && !state->second.value && state->second.changed == revision) states_.erase(state);
  gone_.pop_front();
}

std::vector<Transaction::Write> under(std::string_view prefix, const std::vector<Transaction::Write>& changes) {
  std::vector<Transaction::Write> some;
  std::ranges::copy_if(changes, std::back_inserter(some),
                       [prefix](const Transaction::Write& change) { return change.key.starts_with(prefix); });
  return some;
}

}  // namespace magpie::cluster
