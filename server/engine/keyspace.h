#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/engine/duration_histogram.h"
#include "server/engine/effect.h"
#include "server/engine/epochs.h"
#include "server/engine/eviction.h"
#include "server/engine/heat_sweep.h"
#include "server/engine/key.h"
#include "server/engine/stripes.h"
#include "server/engine/watch.h"

namespace magpie::engine {

class Evictor;

/// All keys of a node: 64 stripes, each with its part of every database. Any thread; what touches a key needs the lock
/// of the key's stripe (lock()), unless it says that it locks by itself. No I/O and no clock: `now` is passed in.
class Keyspace {
 public:
  struct Options {
    std::uint32_t databases = 16;
    bool shared = true;  // false: one thread only, locks are skipped
  };
  explicit Keyspace(Options options);
  ~Keyspace();

  std::uint32_t databases() const { return stripes_.databases(); }

  using Guard = Stripes::Guard;
  using OneGuard = Stripes::OneGuard;
  Guard lock(StripeMask mask) { return stripes_.lock(mask); }
  /// Calls `before_waiting` if another thread holds the lock.
  template <class Call>
  OneGuard lock(StripeIndex index, Call before_waiting) {
    return stripes_.lock(index, before_waiting);
  }

  // --- needs the locks of the stripes concerned ---

  /// The entry of a key, nullptr if there is none. An expired one is erased first, so the key's bytes must not be those
  /// of the entry itself. Valid until the next change.
  Entry* find(Db db, const Key& key, Instant now) { return look_up(db, key, now).entry; }
  /// As find(), and counts as a use of the key, which eviction goes by.
  Entry* use(Db db, const Key& key, Instant now);
  /// As find(), but leaves an expired entry where it is: for looking without changing.
  const Entry* peek(Db db, const Key& key, Instant now) const;

  /// The one door for mutation: whoever reads the log, then the change; in this order because an effect may borrow from
  /// the very entry that it changes or frees. `now` only stamps accesses.
  template <class SomeEffect>
  void apply(const SomeEffect& effect, Instant now) {
    if (sink_ != nullptr) sink_->on_effect(effect);
    change(effect, now);
  }
  /// The same change without the log: followers, snapshots, tests.
  void replay(const Effect& effect, Instant now) {
    std::visit([&](const auto& one) { change(one, now); }, effect);
  }
  /// Whether replay() can do it, for effects from outside: a change of a list needs a list that is long enough.
  bool can_replay(const Effect& effect) const;
  /// While it lives, the changes of this thread are a group (EffectSink). Begun and ended under the same locks, which
  /// must be all that it changes.
  class [[nodiscard]] Group {
   public:
    explicit Group(Keyspace& keyspace) : sink_(keyspace.sink_) {
      if (sink_ != nullptr) sink_->begin_group();
    }
    ~Group() {
      if (sink_ != nullptr) sink_->end_group();
    }
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;

   private:
    EffectSink* sink_;
  };

  /// How the key has been used; nothing if there is none, expired or not.
  std::optional<Heat> heat(Db db, const Key& key) const;
  /// For a value that has moved here. Without the key nothing happens.
  void set_heat(Db db, const Key& key, Heat heat);
  void watch(Db db, const Key& key, const WatchFlag& flag);
  void unwatch(Db db, const Key& key, const WatchFlag& flag);

  struct DatabaseSize {
    std::uint64_t keys = 0;
    std::uint64_t volatile_keys = 0;
    std::int64_t mean_ttl_ms = 0;
  };
  /// Needs all stripes.
  DatabaseSize size(Db db, Instant now) const;
  std::uint64_t keys(Db db) const;
  /// Visits all keys of a database, expired ones too. Needs all stripes; must not change anything.
  void visit_all(Db db, const Table::Visitor& visit) const;
  /// For copying a stripe while it changes: visits the keys of all databases whose place in the order of hashes is from
  /// `from` on, some few, and returns where to go on, 0 at the end. A key's place (Table::position_of) is for good.
  /// Must not change anything.
  using PartVisitor = std::function<void(Db, const Entry&)>;
  Position read_part(StripeIndex index, Position from, const PartVisitor& visit) const;
  /// Order-independent over all databases, expired keys included: equal for equal content. Needs all stripes.
  std::array<std::uint64_t, 2> digest() const;
  std::uint64_t digest_of(Db db, const Entry& entry) const;

  // --- needs no lock ---

  /// Where a key's bucket was a moment ago, if it is not known where the key is.
  struct Ahead {
    const Table* table = nullptr;
    const void* bucket = nullptr;
  };
  /// Starts the cache misses that find() would wait for: first the bucket, later (when that has arrived) the entry or,
  /// if that is not in the bucket, the bucket behind it: then once more.
  Ahead prefetch_bucket(Db db, const Key& key) const {
    __builtin_prefetch(&stripe(key.stripe), 1);  // for its lock
    const Partition* const partition = stripes_.peek(key.stripe, db);
    if (partition == nullptr) return {};
    return {&partition->table, partition->table.prefetch_bucket(key.hash)};
  }
  /// `bytes` is what key and value will have, if that is known.
  static void prefetch_entry(Ahead& ahead, const Key& key, std::size_t bytes = 0) {
    if (ahead.bucket != nullptr) ahead.bucket = ahead.table->prefetch_entry(key.hash, ahead.bucket, bytes);
  }

  // --- locks by itself, unless `held` says that the caller holds all stripes ---

  /// Visits the entries of buckets from `cursor` (0: the start) on until `count` were seen or the end is reached;
  /// returns where to go on, 0 at the end. A key that is there from start to end is visited at least once.
  std::uint64_t scan(Db db, std::uint64_t cursor, std::size_t count, bool held, const Table::Visitor& visit);
  /// Some key that is not expired, or nothing if it finds none.
  std::optional<std::string> random_key(Db db, Instant now, bool held);

  // --- locks by itself ---

  /// Erases keys of the stripe that are due, until about `limit` keys and groups of buckets have been dealt with;
  /// returns how many were: below `limit`, nothing due is left.
  std::size_t expire_some(StripeIndex stripe, Instant now, std::size_t limit);
  using Freeing = PartitionPool::Freeing;
  /// Moves about `limit` entries of the stripe together where pages have become sparse; true if there is more to do.
  bool compact_some(StripeIndex stripe, std::size_t limit);
  /// Frees about `limit` entries of flushed databases, whole pages of them, or else a piece of a large block or chunks
  /// of lists; 0 if there was nothing left to free.
  std::size_t free_some(std::size_t limit, Freeing freeing = Freeing::Lazy);
  enum class Room : std::uint8_t { Enough, NotYet, None };
  /// Erases keys by the policy until used_memory() is at most `limit` bytes, `most` keys or so at once. NotYet: there
  /// is more to erase; None: nothing can go. No lock may be held.
  Room make_room(std::int64_t limit, Instant now, std::size_t most);

  struct Counters {
    std::uint64_t expired = 0;
    std::uint64_t evicted = 0;
    std::uint64_t lazily_freed = 0;
  };
  Counters counters() const;
  /// How long after its time each expired key was erased, whether in the background or because somebody asked for it.
  const SharedDurationHistogram& expiry_lag() const { return expiry_lag_; }
  void reset_counters();
  std::uint64_t pending_lazy_free() const { return stripes_.pool().pending_keys(); }
  /// Bytes of tables and expiry state: what keys cost beyond their entries. Takes all locks, one after the other,
  /// unless `held`.
  std::size_t overhead_memory(bool held = false);
  struct KeyCost {
    std::uint64_t keys = 0;
    double overhead = 0;  // bytes beyond the key and its value, of the average key
  };
  /// Over all databases; tables and pages are counted, entries are judged by some hundreds of them. Takes locks like
  /// overhead_memory().
  KeyCost key_cost(bool held = false);

  /// Needs all stripes.
  void set_sink(EffectSink* sink) { sink_ = sink; }
  /// Milliseconds since the last use of a key with this heat, coarsely; not under the frequency policies.
  std::int64_t idle_ms(Heat heat, Instant now);
  /// Background work: gives about `limit` buckets of keys the heats that time has brought (epochs that were merged,
  /// frequencies that have decayed, another policy). True if there is more to do.
  bool sweep_heats(Instant now, std::size_t limit) { return heat_sweep_.go_on(now, limit); }
  /// Any thread, any time.
  void set_eviction(const EvictionSettings& settings);
  EvictionSettings eviction() const { return eviction_.load(); }
  EvictionPolicy policy() const { return eviction_.policy(); }
  /// A follower erases and evicts nothing by itself: keys that have expired are hidden until its leader's Erase comes.
  /// Any thread.
  void set_follows(bool on) { follows_.store(on, std::memory_order_relaxed); }
  bool follows() const { return follows_.load(std::memory_order_relaxed); }
  /// Off for tests that step the clock by hand (DEBUG SET-ACTIVE-EXPIRE).
  void set_active_expiry(bool on) { active_expiry_.store(on, std::memory_order_relaxed); }

 private:
  Stripe& stripe(StripeIndex index) { return stripes_[index]; }
  const Stripe& stripe(StripeIndex index) const { return stripes_[index]; }

  Table::Found look_up(Db db, const Key& key, Instant now);
  void touch(Stripe& at, const Table::Found& used, Instant now);
  Heat first_heat(Stripe& at, Db db, std::uint64_t hash, Instant now);
  void change(const Put& effect, Instant now);
  void change(const Overwrite& effect, Instant now);
  void change(const Erase& effect, Instant now);
  void change(const SetExpiry& effect, Instant now);
  void change(const ListPush& effect, Instant now);
  void change(const ListSet& effect, Instant now);
  void change(const ListInsert& effect, Instant now);
  void change(const ListErase& effect, Instant now);
  void change(const Flush& effect, Instant now);
  void change(const SwapDb& effect, Instant now);

  template <class Edit>
  void change_list(Db db, const Key& key, Instant now, const Edit& edit);
  static void expiry_changed(Stripe& at, Partition& partition, std::uint64_t hash, std::optional<Instant> before,
                             std::optional<Instant> after);
  static void erase_entry(Stripe& at, Partition& partition, std::uint64_t hash, const Entry* entry);
  void count_erased(EraseReason reason, std::optional<Instant> due, Instant now);
  std::size_t expire_groups(Partition& partition, Db db, StripeIndex index, Instant now, std::size_t limit);
  std::size_t expire_group(Partition& partition, Db db, StripeIndex index, Instant now, std::size_t limit);
  static void changes(Stripe& at, Db db, ByteView key) {
    at.changed = true;
    if (!at.watched.empty()) at.watched.touch(db, key);
  }
  static bool holds(const Partition* partition, ByteView key, std::uint64_t hash);
  std::optional<std::string> first_live_key(Db db, Instant now, bool held);

  Stripes stripes_;
  EffectSink* sink_ = nullptr;
  SharedEvictionSettings eviction_;
  Epochs epochs_;
  HeatSweep heat_sweep_;
  std::unique_ptr<Evictor> evictor_;
  std::atomic<bool> active_expiry_{true};
  std::atomic<bool> follows_{false};
  std::atomic<std::uint64_t> expired_{0};
  std::atomic<std::uint64_t> evicted_{0};
  SharedDurationHistogram expiry_lag_;
};

}  // namespace magpie::engine
