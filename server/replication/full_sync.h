#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "cluster/replication/position.h"
#include "protocol/byte_buffer.h"
#include "server/engine/effect_codec.h"
#include "server/engine/keyspace.h"
#include "server/replication/effect_log.h"
#include "server/replication/large_values.h"

namespace magpie::server {

/// All data of a keyspace as records that make a copy of it in an empty one, read while it goes on changing and without
/// holding more of it than some 100 KB: a cursor goes through the stripes, and through each in the order of hashes over
/// all databases together. What the cursor has passed is kept up to date by the log, whose records are merged in;
/// effects on what it has not reached are left out, for it will bring them.
///
/// The order that makes it right (rules R15 and R16 of the design): a chunk is read under its stripe's lock, and with
/// it the log's end; the log is sent up to there by the cursor as it was, then the chunk, and from then on by the
/// cursor as it is. Of large values the same is true for each part.
///
/// One thread; takes the locks of stripes by itself, so it may hold none.
class FullSync {
 public:
  /// The log must be recording what happens.
  FullSync(engine::Keyspace& keyspace, std::shared_ptr<EffectLog> log);
  ~FullSync();
  FullSync(const FullSync&) = delete;
  FullSync& operator=(const FullSync&) = delete;

  enum class State : std::uint8_t {
    More,
    Done,  // everything has been appended, with what the log had up to lsn()
    Lost  // the log has not kept what was needed: the sync has to begin anew
  };
  /// Appends what comes next to `records`, up to about `most` bytes. Records may be cut: the rest comes with the next
  /// call.
  State produce(ByteBuffer& records, std::size_t most);

  /// Up to where the log is merged in.
  Lsn lsn() const { return sent_; }
  /// That have been read so far.
  std::uint64_t keys() const { return keys_; }

 private:
  void read_chunk();
  void read_entry(Db db, const engine::Entry& entry);
  void send_chunk(ByteBuffer& records);
  bool send_log(ByteBuffer& records, std::size_t most);
  bool filter_record(ByteView record, ByteBuffer& records);
  bool covers(const engine::Effect& effect) const;
  LargeValues::Sent sent_of(engine::Effect& effect);

  engine::Keyspace& keyspace_;
  std::shared_ptr<EffectLog> log_;
  engine::EffectDecoder decoder_;
  struct Cursor {
    unsigned stripe = 0;
    engine::Position position = 0;
  };
  Cursor cursor_;  // of what has been sent
  Cursor next_;  // of what has been read
  Lsn sent_;  // of the log
  Lsn target_;  // the log is sent up to there before the chunk
  std::size_t copying_ = 0;  // bytes of the log that are sent as they are
  ByteBuffer chunk_;
  bool chunk_is_read_ = false;  // and not sent
  LargeValues left_out_;  // of the chunk
  LargeValues large_;  // that the cursor has passed, and are being sent
  std::uint64_t keys_ = 0;
};

}  // namespace magpie::server
