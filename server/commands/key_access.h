#pragma once

#include <expected>
#include <optional>

#include "protocol/command_error.h"
#include "server/engine/keyspace.h"
#include "server/state/statistics.h"

namespace magpie::commands {

/// The keyspace as a command sees it: one database, one instant, the access counted. Lives for one command, whose locks
/// must cover every key that is used.
class KeyAccess {
 public:
  /// `ahead`, if any, was hashed ahead of time and must outlive this.
  KeyAccess(engine::Keyspace& keyspace, Db db, Instant now, server::LoopStatistics& statistics, bool touch,
            const engine::Key* ahead = nullptr)
      : keyspace_(keyspace), statistics_(statistics), ahead_(ahead), db_(db), now_(now), touch_(touch) {}

  void go_on(const engine::Key* ahead) { ahead_ = ahead; }

  Db db() const { return db_; }
  Instant now() const { return now_; }
  engine::Keyspace& keyspace() { return keyspace_; }

  /// The key of these bytes: `ahead`, if it was hashed from them.
  engine::Key key(ByteView bytes) const {
    const bool known =
        ahead_ != nullptr && bytes.data() == ahead_->bytes.data() && bytes.size() == ahead_->bytes.size();
    return known ? *ahead_ : engine::Key::of(bytes);
  }

  /// For reading: counts a hit or a miss, marks the access. Valid until the next change.
  const engine::Entry* read(const engine::Key& key) {
    engine::Entry* entry = find(key);
    (entry != nullptr ? statistics_.keyspace_hits : statistics_.keyspace_misses).add(1);
    return entry;
  }
  /// For changing, or looking on the way to a change: marks the access, counts nothing.
  engine::Entry* find(const engine::Key& key) { return find_in(db_, key); }
  engine::Entry* find_in(Db db, const engine::Key& key) {
    return touch_ ? keyspace_.use(db, key, now_) : keyspace_.find(db, key, now_);
  }
  /// As read() and find(), without marking the access (TTL, OBJECT, EXISTS ... do not count as use in Redis).
  const engine::Entry* read_untouched(const engine::Key& key) {
    const engine::Entry* entry = keyspace_.find(db_, key, now_);
    (entry != nullptr ? statistics_.keyspace_hits : statistics_.keyspace_misses).add(1);
    return entry;
  }
  engine::Entry* find_untouched(const engine::Key& key) { return keyspace_.find(db_, key, now_); }

  using OptionalString = std::expected<std::optional<engine::StringValue>, resp::CommandError>;
  /// The string at the key for reading, nothing if there is none, WrongType if it is something else.
  OptionalString read_string(const engine::Key& key) { return string_of(read(key)); }
  /// The same for changing.
  OptionalString find_string(const engine::Key& key) { return string_of(find(key)); }
  /// The same of an entry that was looked up already.
  static OptionalString string_of(const engine::Entry* entry) {
    if (entry == nullptr) return std::nullopt;
    if (entry->type() != engine::ValueType::String) return std::unexpected(resp::ErrorCode::WrongType);
    return entry->string();
  }

  using OptionalList = std::expected<std::optional<engine::ListView>, resp::CommandError>;
  /// The list at the key for reading, nothing if there is none, WrongType if it is something else.
  OptionalList read_list(const engine::Key& key) { return list_of(read(key)); }
  /// The same for changing.
  OptionalList find_list(const engine::Key& key) { return list_of(find(key)); }
  /// The same of an entry that was looked up already.
  static OptionalList list_of(const engine::Entry* entry) {
    if (entry == nullptr) return std::nullopt;
    if (entry->type() != engine::ValueType::List) return std::unexpected(resp::ErrorCode::WrongType);
    return entry->list();
  }

  /// A change that counts as one, whatever number of keys it concerns.
  template <class SomeEffect>
  void apply(const SomeEffect& effect) {
    apply_as(effect, 1);
  }
  /// One that counts as so many.
  template <class SomeEffect>
  void apply_as(const SomeEffect& effect, std::uint64_t changes) {
    keyspace_.apply(effect, now_);
    statistics_.changes.add(changes);
  }

 private:
  engine::Keyspace& keyspace_;
  server::LoopStatistics& statistics_;
  const engine::Key* ahead_ = nullptr;
  Db db_;
  Instant now_;
  bool touch_;
};

}  // namespace magpie::commands
