#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "cluster/replication/position.h"
#include "protocol/byte_buffer.h"
#include "server/engine/effect.h"
#include "server/engine/keyspace.h"
#include "server/engine/list.h"
#include "server/replication/effect_log.h"

namespace magpie::server {

/// Values that are too large for a chunk of a full synchronisation: they are sent one after the other, in parts, while
/// they go on changing. Each has a cursor of its own. A part is read as of a place in the log; the log goes first up to
/// there, with what it does to what the cursor had passed, and then the part (rule R16 of the design).
///
/// One thread; takes the locks of stripes by itself.
class LargeValues {
 public:
  static bool is_large(const engine::Entry& entry);

  bool empty() const { return values_.empty(); }
  /// As of where none of it has been sent.
  void add(Db db, const engine::Entry& entry);
  /// Reads the next part; returns the place in the log that it is of.
  Lsn read_part(engine::Keyspace& keyspace, const EffectLog& log);
  /// Whether there is a part that is still right.
  bool has_part() const { return part_.has_value(); }
  /// Appends it as records. What the log did before must have been shown to cut() and sent.
  void send_part(ByteBuffer& records);

  enum class Sent : std::uint8_t { All, Some, None };
  /// How much of an effect concerns what has been sent; where it is some, the effect is cut to that. Effects on other
  /// keys are left as they are.
  Sent cut(engine::Effect& effect);

 private:
  struct LargeValue {
    Db db;
    std::string key;
    std::uint64_t hash;
    engine::ValueType type;
    std::size_t sent = 0;  // bytes of a string, elements of a list
  };
  using Place = std::deque<LargeValue>::iterator;
  /// Of the value in front.
  struct Part {
    std::string bytes;  // of a string
    std::size_t size = 0;  // of the whole string
    engine::List list;  // all of it, shared
    std::optional<Instant> expiry;
  };

  Place find(Db db, const engine::Key& key);
  void drop(const Place& place);
  bool send_some(LargeValue& value, const engine::Key& key, ByteBuffer& records) const;
  bool send_elements(LargeValue& value, const engine::Key& key, ByteBuffer& records) const;
  template <class OfKey>
  Sent cut_at(OfKey& effect);
  Sent cut_at(engine::Flush& effect);
  Sent cut_at(engine::SwapDb& effect);
  static Sent cut_to(std::size_t sent, engine::Overwrite& effect);
  static Sent cut_to(std::size_t& sent, engine::ListPush& effect);
  static Sent cut_to(std::size_t sent, engine::ListSet& effect);
  static Sent cut_to(std::size_t& sent, engine::ListInsert& effect);
  static Sent cut_to(std::size_t& sent, engine::ListErase& effect);

  std::deque<LargeValue> values_;
  std::optional<Part> part_;
};

}  // namespace magpie::server
