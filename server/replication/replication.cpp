#include "server/replication/replication.h"

namespace magpie::server {

Replication::~Replication() { configure({}); }

void Replication::configure(const Options& options) {
  const std::lock_guard guard(lock_);
  if (options.always && log_ != nullptr) return log_->set_capacity(options.log_capacity);
  if (options.always == (log_ != nullptr)) return;
  const engine::Keyspace::Guard all = keyspace_.lock(engine::kAllStripes);
  if (options.always) {
    log_ = std::make_shared<EffectLog>(options.log_capacity, next_);
    keyspace_.set_sink(log_.get());
  } else {
    keyspace_.set_sink(nullptr);
    // What happens from now on is missing: a place of its own, so that nobody takes one log for the other's end.
    next_ = log_->end() + 1;
    log_.reset();
  }
}

std::shared_ptr<const EffectLog> Replication::log() const {
  const std::lock_guard guard(lock_);
  return log_;
}

Replication::Position Replication::position() const {
  const std::shared_ptr<const EffectLog> log = this->log();
  if (log == nullptr) {
    const std::lock_guard guard(lock_);
    return {.end = next_, .begin = next_};
  }
  const Lsn begin = log->begin();
  return {log->end(), begin, log->memory(), true};
}

}  // namespace magpie::server
