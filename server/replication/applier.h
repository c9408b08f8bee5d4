#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "protocol/byte_buffer.h"
#include "server/engine/effect_codec.h"
#include "server/engine/keyspace.h"
#include "server/replication/effect_log.h"
#include "server/replication/tail_repair.h"

namespace magpie::server {

/// Makes a keyspace follow a log of records that comes in pieces: each record takes place as a whole, under the locks
/// of all its stripes, and is appended to the follower's own log under the same locks. One thread, which holds no
/// locks.
class Applier {
 public:
  explicit Applier(engine::Keyspace& keyspace) : keyspace_(keyspace), decoder_(keyspace.databases()) {}

  /// Where records go that have been applied; null: nowhere (full synchronisation).
  void use_log(EffectLog* log) { log_ = log; }
  /// Effects that are in these keys already are left out, until there are none any more; then `done` is called.
  void use_repair(std::shared_ptr<const Repair> repair, std::function<void()> done) {
    repair_ = std::move(repair);
    repaired_ = std::move(done);
  }
  /// Takes the next bytes, which may end within a record: the rest of it comes with the next call. On an error nothing
  /// of the record that is wrong has happened, unless it is a group that does not fit the data; then, and after any
  /// error, the data is not the leader's any more. Nothing happens once the keyspace does not follow. `now` only stamps
  /// accesses.
  std::expected<void, std::string> take(ByteView bytes, Instant now);
  /// Whether what has come ended with a record.
  bool at_border() const { return partial_.empty(); }

 private:
  std::expected<void, std::string> go_on_with_partial(ByteView& bytes, Instant now);
  std::expected<void, std::string> apply(ByteView record, Instant now);
  std::expected<void, std::string> replay(const engine::Effect& effect, Instant now);
  std::expected<void, std::string> replay_group(ByteView effects, Instant now);

  engine::Keyspace& keyspace_;
  engine::EffectDecoder decoder_;
  bool is_ahead(const engine::Effect& effect) const;

  EffectLog* log_ = nullptr;
  std::shared_ptr<const Repair> repair_;
  std::function<void()> repaired_;
  Lsn record_end_;  // of the one that is being applied
  ByteBuffer partial_;  // the start of a record
};

}  // namespace magpie::server
