#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "server/engine/instant.h"
#include "server/engine/key.h"
#include "server/engine/value.h"

namespace magpie::engine {

/// Effects: the only ways in which data changes. Deterministic, with absolute times: a log of effects replayed into an
/// empty keyspace gives the same digest. Bytes are borrowed for the duration of the call.

/// Sets the key to a value, with this expiry or none.
struct Put {
  // A constructor, because GCC 12 clears an aggregate of this size in full before it fills it.
  Put(Db in_db, const Key& at, const Value& new_value, std::optional<Instant> expires)
      : db(in_db), key(at), value(new_value), expiry(expires) {}
  Db db;
  Key key;
  Value value;
  std::optional<Instant> expiry;
};
/// Writes into the string at the key, which becomes one if it is missing; zeros fill a gap. The expiry stays.
struct Overwrite {
  Db db;
  Key key;
  std::size_t offset;
  ByteView bytes;
};
enum class EraseReason : std::uint8_t { Command, Expired, Evicted };
struct Erase {
  Db db;
  Key key;
  EraseReason reason = EraseReason::Command;
};
/// Changes only the expiry.
struct SetExpiry {
  Db db;
  Key key;
  std::optional<Instant> expiry;
};
enum class ListEnd : std::uint8_t { Front, Back };
/// Pushes elements, one after the other, at an end of the list at the key, which becomes one if it is missing. They
/// must not lie in this list, as with the following. The expiry stays.
struct ListPush {
  Db db;
  Key key;
  ListEnd end;
  std::span<const ByteView> elements;
};
/// Changes an element; the index must be in the list.
struct ListSet {
  Db db;
  Key key;
  std::size_t index;
  ByteView element;
};
/// Puts an element before the one with this index; at most the list's size.
struct ListInsert {
  Db db;
  Key key;
  std::size_t index;
  ByteView element;
};
/// Takes out `count` elements, which must be there; a list without elements goes with its key.
struct ListErase {
  Db db;
  Key key;
  std::size_t first;
  std::size_t count;
};
/// Empties one database, or all. Needs all stripes.
struct Flush {
  std::optional<Db> db;
};
/// Exchanges the content of two databases. Needs all stripes.
struct SwapDb {
  Db first;
  Db second;
};

using Effect = std::variant<Put, Overwrite, Erase, SetExpiry, ListPush, ListSet, ListInsert, ListErase, Flush, SwapDb>;

/// The stripes that it reaches.
inline StripeMask stripes_of(const Effect& effect) {
  return std::visit(
      []<class SomeEffect>(const SomeEffect& one) {
        if constexpr (requires { one.key; }) {
          return mask_of(one.key.stripe);
        } else {
          return kAllStripes;
        }
      },
      effect);
}

/// Reads effects just before they happen, under the locks of their stripes: the replication log, tests. Must not call
/// back.
class EffectSink {
 public:
  virtual void on_effect(const Effect& effect) = 0;
  /// What this thread does up to end_group() belongs together: whoever replays it does all of it or nothing. Groups may
  /// lie in one another; the outermost counts.
  virtual void begin_group() {}
  virtual void end_group() {}

 protected:
  ~EffectSink() = default;
};

}  // namespace magpie::engine
