#include "cluster/arbiter/in_process.h"

#include <utility>

namespace magpie::cluster {

std::expected<ReadResult, ArbiterError> SharedStore::read(const std::vector<std::string>& keys) const {
  const std::lock_guard lock(mutex_);
  return store_.read(keys);
}

std::expected<TransactionResult, ArbiterError> SharedStore::transact(const Transaction& transaction) {
  const std::lock_guard lock(mutex_);
  auto done = store_.transact(transaction);
  if (!done) return std::unexpected(done.error());
  for (const Watcher& watcher : watchers_) {
    auto changes = under(watcher.prefix, done->changes);
    if (!changes.empty()) watcher.tell({done->result.revision, std::move(changes)});
  }
  return std::move(done->result);
}

SharedStore::Watching SharedStore::watch(Watcher watcher, Revision after) {
  const std::lock_guard lock(mutex_);
  watchers_.push_back(std::move(watcher));
  const auto watching = std::prev(watchers_.end());
  if (Arbiter::Change change = store_.changes(watching->prefix, after); !change.writes.empty()) {
    watching->tell(std::move(change));
  }
  return watching;
}

void SharedStore::end(Watching watching) {
  const std::lock_guard lock(mutex_);
  watchers_.erase(watching);
}

namespace {

/// Ends the telling at once: what is under way is dropped.
class InProcessWatch final : public Arbiter::Watch {
 public:
  InProcessWatch(std::shared_ptr<SharedStore> store, std::string prefix, Revision after, Arbiter::OnChange on_change,
                 InProcessArbiter::Post post)
      : store_(std::move(store)), on_change_(std::make_shared<Arbiter::OnChange>(std::move(on_change))) {
    auto tell = [post = std::move(post), to = std::weak_ptr(on_change_)](Arbiter::Change change) {
      post([to, change = std::move(change)] {
        if (const auto there = to.lock()) (*there)(change);
      });
    };
    watching_ = store_->watch({std::move(prefix), std::move(tell)}, after);
  }
  ~InProcessWatch() override { store_->end(watching_); }
  InProcessWatch(const InProcessWatch&) = delete;
  InProcessWatch& operator=(const InProcessWatch&) = delete;

 private:
  std::shared_ptr<SharedStore> store_;
  std::shared_ptr<Arbiter::OnChange> on_change_;  // a task holds it while it runs
  SharedStore::Watching watching_;
};

}  // namespace

InProcessArbiter::InProcessArbiter(std::shared_ptr<SharedStore> store, Post post)
    : store_(std::move(store)), post_(std::move(post)) {}

InProcessArbiter::~InProcessArbiter() = default;

template <class Answer, class Result>
void InProcessArbiter::answer(Answer to, Result result) {
  post_([alive = std::weak_ptr(alive_), to = std::move(to), result = std::move(result)]() mutable {
    if (!alive.expired()) to(std::move(result));
  });
}

void InProcessArbiter::read(std::vector<std::string> keys, OnRead on_read) {
  answer(std::move(on_read), store_->read(keys));
}

void InProcessArbiter::transact(Transaction transaction, OnTransaction on_done) {
  answer(std::move(on_done), store_->transact(transaction));
}

std::unique_ptr<Arbiter::Watch> InProcessArbiter::watch(std::string prefix, Revision after, OnChange on_change) {
  return std::make_unique<InProcessWatch>(store_, std::move(prefix), after, std::move(on_change), post_);
}

}  // namespace magpie::cluster
