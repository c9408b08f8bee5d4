#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/engine/effect.h"

namespace magpie::engine {

enum class EffectKind : std::uint8_t;

/// Effects as bytes, the same in the log, in full synchronisation and between versions: codes are never given to
/// something else, and what a decoder does not know is an error.
///
///   effect   kind (a byte), and then by kind; numbers are varints, signed ones zigzag, `bytes` a length and the bytes
///   Put      db, bytes key, expiry, value       Overwrite   db, bytes key, offset, bytes
///   Erase    db, bytes key, reason              SetExpiry   db, bytes key, expiry
///   ListPush db, bytes key, end, count, bytes.. ListSet     db, bytes key, index, bytes
///   ListInsert as ListSet                       ListErase   db, bytes key, first, count
///   Flush    db + 1, or 0 for all               SwapDb      db, db
///   expiry   0: none, else 1 and the milliseconds since the epoch, signed
///   value    form (a byte): an integer, or bytes, or a run of a list as bytes, or the number of runs and each as bytes

/// Bytes that it takes at most.
std::size_t encoded_bound(const Effect& effect);
/// Writes at most encoded_bound(); returns where it ended.
char* encode(const Effect& effect, char* to);

/// Reads effects that come from outside. One thread.
class EffectDecoder {
 public:
  /// Databases from this number on are refused.
  explicit EffectDecoder(std::uint32_t databases) : databases_(databases) {}

  /// Takes one effect from the front of `from`; else says what is wrong. The effect borrows from the bytes and from
  /// this, until the next call. `known` is what look_at() has told of the same bytes, or null.
  struct Place {
    Db db{};
    Key key;
  };
  std::expected<Effect, std::string> take(ByteView& from, const Place* known = nullptr);
  /// Which key the effect at the front of `from` is on; nothing if it is on none, or wrong. Cheaper than take().
  std::optional<Place> look_at(ByteView from) const;

 private:
  class Reader;
  Effect read_of_key(EffectKind kind, const Place& place, Reader& reader);
  Value read_value(Reader& reader);
  Value read_packed_list(Reader& reader);
  Value read_list(Reader& reader);
  std::span<const ByteView> read_elements(Reader& reader);

  std::uint32_t databases_;
  std::vector<ByteView> elements_;
  PackedRun run_;
  List list_;
};

}  // namespace magpie::engine
