#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "cluster/replication/position.h"
#include "protocol/byte_buffer.h"
#include "server/engine/effect.h"
#include "server/engine/stripe.h"
#include "server/replication/record.h"

namespace magpie::server {

/// A run of the log, in memory that is written once and never moves: whoever holds it may read what has been written,
/// while more is added behind.
class LogSegment {
 public:
  static constexpr std::size_t kUsual = std::size_t{256} << 10;  // bytes

  LogSegment(Lsn first, std::size_t capacity);
  ~LogSegment();
  LogSegment(const LogSegment&) = delete;
  LogSegment& operator=(const LogSegment&) = delete;

  Lsn first() const { return first_; }
  Lsn end() const { return first_ + size(); }
  /// From there to what is written now; valid as long as the segment.
  ByteView from(Lsn lsn) const {
    const std::size_t offset = lsn - first_;
    return {bytes_ + offset, size() - offset};
  }

 private:
  friend class EffectLog;
  std::size_t size() const { return size_.load(std::memory_order_acquire); }

  Lsn first_;
  std::size_t capacity_;
  char* bytes_;
  std::atomic<std::size_t> size_ = 0;
};

/// The last effects of a shard, as records (record.h), up to a bound. Any thread, where nothing else is said.
class EffectLog final : public engine::EffectSink {
 public:
  /// Keeps at least the last `capacity` bytes, in whole segments of so many. The first record begins at `begin`.
  EffectLog(std::size_t capacity, Lsn begin, std::size_t segment = LogSegment::kUsual);
  EffectLog(const EffectLog&) = delete;
  EffectLog& operator=(const EffectLog&) = delete;

  /// Under the locks of the effect's stripes.
  void on_effect(const engine::Effect& effect) override;

  /// The effects of a group are gathered and become one record at its end.
  void begin_group() override;
  void end_group() override;

  /// Where what this thread has recorded since the last call ends, in whichever log; 0: it has recorded nothing.
  static Lsn take_recorded();

  /// Of a follower: records of its leader's log, which go on where this one ends.
  void append(ByteView bytes);

  /// Of a follower: gives up what was recorded from there on, where a record begins that is still kept. Readers keep
  /// the segments that they have.
  void cut(Lsn at);

  /// Where the last record of a leader ends that touches one of these stripes; not before it in any case.
  Lsn last_in(engine::StripeMask stripes) const;

  /// Where the next record will begin.
  Lsn end() const { return Lsn{end_.load(std::memory_order_acquire)}; }
  /// From where on it can be read.
  Lsn begin() const;
  /// The segment with the bytes from `lsn` on, if there are any and they are still kept.
  std::shared_ptr<const LogSegment> segment_at(Lsn lsn) const;
  void set_capacity(std::size_t capacity);
  /// While a full synchronisation goes on the log keeps 64 MB at least: it must not run away from what is being sent.
  void begin_sync();
  void end_sync();
  /// Groups with more bytes of effects (at most kMostRecord) are not kept, nor is what came before: whoever needs it
  /// has to begin anew.
  void set_most_group(std::size_t bytes);
  /// Bytes of memory that it takes.
  std::size_t memory() const;

 private:
  char* reserve(std::size_t most);
  void commit(std::size_t size);
  void append_record(ByteView effects, engine::StripeMask stripes);
  void note_stripes(engine::StripeMask stripes);
  void drop_oldest();
  void break_off();

  mutable engine::StripeLock lock_;  // guards what follows
  const std::size_t segment_;
  std::size_t capacity_;
  std::size_t most_group_ = kMostRecord;
  unsigned syncs_ = 0;
  std::deque<std::shared_ptr<LogSegment>> segments_;  // never empty; the last one is written to
  std::size_t held_ = 0;  // bytes of their memory
  std::atomic<std::uint64_t> end_;
  std::array<std::atomic<std::uint64_t>, engine::kStripes> last_in_{};
};

}  // namespace magpie::server
