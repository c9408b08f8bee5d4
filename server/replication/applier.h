#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>

#include "protocol/byte_buffer.h"
#include "server/engine/effect_codec.h"
#include "server/engine/keyspace.h"
#include "server/replication/effect_log.h"
#include "server/replication/tail_repair.h"
#include "server/replication/tenure.h"

namespace magpie::server {

/// Makes a keyspace follow a log of records that comes in pieces: each record takes place as a whole, under the locks
/// of all its stripes, and is appended to the follower's own log under the same locks. One thread, which holds no
/// locks.
class Applier {
 public:
  Applier(engine::Keyspace& keyspace, Tenure tenure)
      : keyspace_(keyspace), tenure_(tenure), decoder_(keyspace.databases()) {}

  /// Where records go that have been applied; null: nowhere (full synchronisation).
  void use_log(EffectLog* log) { log_ = log; }
  /// Takes the next bytes, which may end within a record: the rest of it comes with the next call. On an error nothing
  /// of the record that is wrong has happened, unless it is a group that does not fit the data; then, and after any
  /// error, the data is not the leader's any more. Nothing happens once the tenure is over. `now` only stamps
  /// accesses.
  std::expected<void, std::string> take(ByteView bytes, Instant now);
  /// The same, where all locks are held; effects that are in the keys already are left out.
  std::expected<void, std::string> take_behind(const Repair& repair, ByteView bytes, Instant now);
  /// Whether what has come ended with a record.
  bool at_border() const { return partial_.empty(); }

 private:
  /// The records at the front, whose keys are on their way into the processor's cache.
  struct Fetched {
    static constexpr std::size_t kMost = 16;  // that are fetched together
    std::array<std::optional<engine::EffectDecoder::Place>, kMost> first;  // of each record's first effect
    std::size_t records = 0;
    std::size_t applied = 0;
  };
  std::expected<void, std::string> go_on_with_partial(ByteView& bytes, Instant now);
  void fetch_ahead(ByteView bytes, Fetched& fetched) const;
  const engine::EffectDecoder::Place* next_place(ByteView bytes, Fetched& fetched) const;
  /// `known` is of its first effect; null: not looked at.
  std::expected<void, std::string> apply(ByteView record, const engine::EffectDecoder::Place* known, Instant now);
  std::expected<void, std::string> apply_barrier(ByteView record);
  std::expected<void, std::string> apply_behind(const Repair& repair, ByteView record, Instant now);
  std::expected<void, std::string> replay(const engine::Effect& effect, Instant now);
  std::expected<void, std::string> replay_group(ByteView effects, Instant now);

  engine::Keyspace& keyspace_;
  Tenure tenure_;
  engine::EffectDecoder decoder_;
  EffectLog* log_ = nullptr;
  ByteBuffer partial_;  // the start of a record
};

}  // namespace magpie::server
