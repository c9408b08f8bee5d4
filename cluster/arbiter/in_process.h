#pragma once

#include <expected>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cluster/arbiter/arbiter.h"
#include "cluster/arbiter/store.h"

namespace magpie::cluster {

/// A store that several InProcessArbiters of one process share. Any thread.
class SharedStore {
 public:
  std::expected<ReadResult, ArbiterError> read(const std::vector<std::string>& keys) const;
  std::expected<TransactionResult, ArbiterError> transact(const Transaction& transaction);

  using Tell = std::function<void(Arbiter::Change)>;
  /// `tell` gets what changed under the prefix after that revision, at once and from then on; in order, inside the call
  /// that caused it and under the lock, so it must only pass it on.
  struct Watcher {
    std::string prefix;
    Tell tell;
  };
  using Watching = std::list<Watcher>::iterator;
  Watching watch(Watcher watcher, Revision after);
  void end(Watching watching);

 private:
  mutable std::mutex mutex_;
  Store store_;
  std::list<Watcher> watchers_;
};

/// The arbiter of nodes that share one process: for tests, and for one process that needs no other. Nothing is durable.
class InProcessArbiter final : public Arbiter {
 public:
  using Task = std::move_only_function<void()>;
  /// Runs tasks on the thread that this arbiter belongs to, in order, never inside the call. Where several threads
  /// share the store it is called by any of them.
  using Post = std::function<void(Task)>;

  InProcessArbiter(std::shared_ptr<SharedStore> store, Post post);
  ~InProcessArbiter() override;  // answers not given yet are dropped; watches go on

  void read(std::vector<std::string> keys, OnRead on_read) override;
  void transact(Transaction transaction, OnTransaction on_done) override;
  std::unique_ptr<Watch> watch(std::string prefix, Revision after, OnChange on_change) override;

 private:
  template <class Answer, class Result>
  void answer(Answer to, Result result);

  std::shared_ptr<SharedStore> store_;
  Post post_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace magpie::cluster
