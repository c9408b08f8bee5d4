#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/arbiter/arbiter.h"

namespace magpie::cluster {

/// The keys of an arbiter, in memory: no I/O, no clock, one thread at a time. Keys that are gone are remembered with
/// the revision that removed them, so what changed since any revision needs no history: each key has its last change.
class Store {
 public:
  struct State {
    std::optional<std::string> value;  // nothing: the key is gone
    Revision changed;
    bool operator==(const State&) const = default;
  };
  using States = std::map<std::string, State, std::less<>>;

  Store() = default;
  /// As it was at that revision; no state may be of a later one.
  Store(States states, Revision revision);

  struct Done {
    TransactionResult result;
    std::vector<Transaction::Write> changes;  // none: the revision is as before
  };
  /// The error says which limit (cluster/arbiter/limits.h) the transaction is beyond, or which key it writes twice;
  /// then nothing has changed.
  std::expected<Done, ArbiterError> transact(const Transaction& transaction);
  std::expected<ReadResult, ArbiterError> read(const std::vector<std::string>& keys) const;
  /// The latest state of each key with this prefix that changed after that revision. What went is told as long as it is
  /// among the latest kMostGoneKeys.
  Arbiter::Change changes(std::string_view prefix, Revision after) const;

  /// Does again what a transaction did; false, and nothing, if it is not that of the next revision.
  [[nodiscard]] bool replay(Revision revision, const std::vector<Transaction::Write>& changes);

  Revision revision() const { return revision_; }
  /// Of keys and values that there are.
  std::size_t bytes() const { return bytes_; }
  /// Gone keys included.
  const States& states() const { return states_; }

 private:
  const State* find(std::string_view key) const;
  bool holds(const std::vector<Transaction::Compare>& compares) const;
  std::vector<Transaction::Write> effective(const std::vector<Transaction::Write>& writes) const;
  std::size_t bytes_after(const std::vector<Transaction::Write>& changes) const;
  std::vector<ArbiterEntry> entries(std::vector<std::string> keys) const;
  void apply(const std::vector<Transaction::Write>& changes);
  void remember_gone(const std::string& key);

  States states_;
  Revision revision_;
  std::size_t bytes_ = 0;
  std::deque<std::pair<Revision, std::string>> gone_;  // in this order; some may be back
};

/// The changes whose keys have this prefix.
std::vector<Transaction::Write> under(std::string_view prefix, const std::vector<Transaction::Write>& changes);

}  // namespace magpie::cluster
