#pragma once

#include <cstddef>
#include <memory>
#include <mutex>

#include "cluster/replication/position.h"
#include "server/engine/keyspace.h"
#include "server/replication/effect_log.h"

namespace magpie::server {

/// A node's part in replication. Any thread.
class Replication {
 public:
  explicit Replication(engine::Keyspace& keyspace) : keyspace_(keyspace) {}
  ~Replication();
  Replication(const Replication&) = delete;
  Replication& operator=(const Replication&) = delete;

  struct Options {
    bool always = false;  // keep a log although there is no replica
    std::size_t log_capacity = 0;  // bytes
  };
  /// May take the locks of all stripes, so none may be held.
  void configure(const Options& options);

  /// Null while nothing is recorded.
  std::shared_ptr<const EffectLog> log() const;

  struct Position {
    Lsn end;  // of what has been recorded so far
    Lsn begin;  // from where on it is kept
    std::size_t memory = 0;  // bytes
    bool active = false;
  };
  Position position() const;

 private:
  engine::Keyspace& keyspace_;
  mutable std::mutex lock_;  // guards what follows; taken before the stripes'
  std::shared_ptr<EffectLog> log_;
  Lsn next_{1};  // where the next log begins
};

}  // namespace magpie::server
