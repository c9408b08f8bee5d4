#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "protocol/bytes.h"
#include "server/engine/instant.h"
#include "server/engine/string_value.h"

namespace magpie::engine {

/// A key with its value, expiry and access state in one allocation; this file and entry.cpp own the layout:
///
///   form and flags 1 | unused 3 | access 4 | key length 4 | value length 4 | [expiry 8] | key | value
///
/// Owned by one slot of a table. No address of an entry survives the command that looked it up.
class Entry {
 public:
  struct Deleter {
    void operator()(Entry* entry) const;
  };
  using Owner = std::unique_ptr<Entry, Deleter>;

  static Owner make(ByteView key, const StringValue& value, std::optional<Instant> expiry, std::uint32_t access);

  ByteView key() const { return {payload(), key_length_}; }
  StringValue string() const;
  std::optional<Instant> expiry() const {
    if ((flags_ & kHasExpiry) == 0) return std::nullopt;
    return Instant{stored_expiry()};
  }
  bool expired(Instant now) const { return (flags_ & kHasExpiry) != 0 && stored_expiry() <= now.ms; }

  /// Eviction state of the policy in force (last access, or frequency and decay time).
  std::uint32_t access() const { return access_; }
  void set_access(std::uint32_t access) { access_ = access; }

  /// Changes the value where it stands, if the new one fits the allocation and wastes less than half of it.
  bool assign_in_place(const StringValue& value);
  /// Changes or removes the expiry where it stands; false if there is no room for one.
  bool set_expiry_in_place(std::optional<Instant> expiry);
  /// Writes `bytes` at `offset` of a non-integer string, zeros up to there if it is shorter, and makes it Raw; false if
  /// the allocation is too small.
  bool overwrite_in_place(std::size_t offset, ByteView bytes);
  /// A copy of this entry as Raw string with room for `capacity` value bytes.
  Owner copy_with_room(std::size_t capacity) const;

  /// Bytes of memory this entry takes, rounding included.
  std::size_t memory() const;

 private:
  Entry() = default;
  static constexpr std::uint8_t kFormMask = 3;
  static constexpr std::uint8_t kHasExpiry = 4;

  static Owner allocate(ByteView key, std::size_t value_room, std::optional<Instant> expiry);
  char* payload() { return reinterpret_cast<char*>(this) + sizeof(Entry) + expiry_room(); }
  const char* payload() const { return const_cast<Entry*>(this)->payload(); }
  char* value() { return payload() + key_length_; }
  std::size_t expiry_room() const { return (flags_ & kHasExpiry) != 0 ? sizeof(std::int64_t) : 0; }
  std::size_t value_room() const;
  std::int64_t stored_expiry() const;
  void store_value(const StringValue& value);

  std::uint8_t flags_ = 0;
  std::uint32_t access_ = 0;
  std::uint32_t key_length_ = 0;
  std::uint32_t value_length_ = 0;
};

static_assert(sizeof(Entry) == 16);

}  // namespace magpie::engine
