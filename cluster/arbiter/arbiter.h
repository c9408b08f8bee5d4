#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace magpie::cluster {

/// Counts the transactions that changed something, over all keys of an arbiter. 0: before the first.
struct Revision {
  std::uint64_t number = 0;
  friend auto operator<=>(Revision, Revision) = default;
};

/// A key as it is at some revision.
struct ArbiterEntry {
  std::string key;
  std::string value;
  Revision changed;  // by the transaction of this revision
  bool operator==(const ArbiterEntry&) const = default;
};

/// All or nothing: `writes` happen if every key of `compares` was last changed by just that revision.
struct Transaction {
  struct Compare {
    std::string key;
    Revision changed;  // 0: there is no such key
    bool operator==(const Compare&) const = default;
  };
  struct Write {
    std::string key;
    std::optional<std::string> value;  // nothing: the key goes
    bool operator==(const Write&) const = default;
  };
  std::vector<Compare> compares;
  std::vector<Write> writes;  // each key at most once
  std::vector<std::string> reads;  // told in any case, as they are after it
  bool operator==(const Transaction&) const = default;
};

struct TransactionResult {
  bool succeeded = false;
  Revision revision;  // of the arbiter after it
  std::vector<ArbiterEntry> entries;  // what was read; keys that do not exist are left out
  bool operator==(const TransactionResult&) const = default;
};

struct ReadResult {
  Revision revision;  // that the entries are of, or a later one at which they still hold
  std::vector<ArbiterEntry> entries;  // by key; keys that do not exist are left out
  bool operator==(const ReadResult&) const = default;
};

/// No answer. A transaction may have happened all the same, or may still happen (R3 of the design's rules).
struct ArbiterError {
  std::string message;
};

/// Decides between nodes: a few keys, changed by transactions that compare revisions. Linearizable: what a read tells
/// holds at some moment between call and answer. Calls and answers belong to one thread; an answer is never given
/// inside the call. Errors come as ArbiterError, some seconds after the call at the latest.
class Arbiter {
 public:
  using OnRead = std::move_only_function<void(std::expected<ReadResult, ArbiterError>)>;
  using OnTransaction = std::move_only_function<void(std::expected<TransactionResult, ArbiterError>)>;

  virtual ~Arbiter() = default;
  virtual void read(std::vector<std::string> keys, OnRead on_read) = 0;
  virtual void transact(Transaction transaction, OnTransaction on_done) = 0;

  /// Ends when it is destroyed.
  class Watch {
   public:
    virtual ~Watch() = default;
  };
  /// What has changed under a prefix: each changed key once with its latest state, or gone (no value). Changes may be
  /// told together, never out of order; after an interruption the watch goes on by itself.
  struct Change {
    Revision revision;
    std::vector<Transaction::Write> writes;
  };
  using OnChange = std::function<void(const Change&)>;
  virtual std::unique_ptr<Watch> watch(std::string prefix, Revision after, OnChange on_change) = 0;
};

}  // namespace magpie::cluster
