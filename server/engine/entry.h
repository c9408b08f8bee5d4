#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "protocol/bytes.h"
#include "server/engine/instant.h"
#include "server/engine/value.h"

namespace magpie::engine {

/// What an entry is made of. Borrows the bytes; a list that is an object becomes the entry's.
struct EntryContent {
  ByteView key;
  Value value;
  std::optional<Instant> expiry = {};
  std::size_t room = 0;  // bytes to set aside for the value, if more than it needs
};

/// A key with its value and expiry, packed; this file and entry.cpp own the layout:
///
///   marks 1 | key length 1 or 4 | value length 1 or 4 | [expiry 5 or 8] | key | value
///
/// The value is a string's bytes, a number, `elements 1 | packed run`, or `type 1 | address 8` of an object that is the
/// entry's own and goes with release_object(). It lies where its table put it (EntryHeap), at any even address. No
/// address of an entry survives the command that looked it up.
class Entry {
 public:
  /// The bytes that an entry of this content takes.
  static std::size_t size_of(const EntryContent& content);
  /// Writes the entry to `memory`, which has room for it.
  static Entry* write(void* memory, const EntryContent& content);

  ByteView key() const;
  ValueType type() const;
  Value value() const;
  /// For entries of that type only.
  StringValue string() const;
  ListView list() const { return value().as_list(); }
  /// The list that is kept as an object; null if there is none.
  List* large_list();
  bool has_object() const { return form() == ValueForm::Object; }
  /// Bytes of the object, roughly; 0 if there is none.
  std::size_t object_memory() const;
  /// Destroys the object of an entry that has one; what follows may only be the end of the entry.
  void release_object();
  std::optional<Instant> expiry() const;
  bool has_expiry() const { return (marks() & (kExpiry | kWideExpiry)) != 0; }
  bool expired(Instant now) const { return has_expiry() && stored_expiry() < now.ms; }

  /// Its bytes, as written.
  std::size_t size() const;
  /// Whether it lies in a block of its own: set by who put it there.
  bool in_own_block() const { return (marks() & kOwnBlock) != 0; }
  void set_in_own_block() { *bytes() = static_cast<char>(marks() | kOwnBlock); }

  /// A first byte that no entry has: for whoever keeps something else in an entry's place.
  static constexpr unsigned char kNoEntry = 0xfe;

  /// Changes the value where it stands; false if the size would change, or there is or would be an object.
  bool assign_in_place(const Value& value);
  /// Changes or removes the expiry where it stands; false if there is no room for one.
  bool set_expiry_in_place(std::optional<Instant> expiry);
  /// Writes `bytes` at `offset` of a string that is no Integer, zeros up to there if it is shorter, and makes it Raw;
  /// false if the entry would exceed `capacity` bytes.
  bool overwrite_in_place(std::size_t offset, ByteView bytes, std::size_t capacity);

 private:
  Entry() = default;

  // Bytes of the parts.
  static constexpr std::size_t kShortBytes = 1;
  static constexpr std::size_t kLongBytes = 4;
  static constexpr std::size_t kExpiryBytes = 5;
  static constexpr std::size_t kWideExpiryBytes = 8;
  static_assert(kShortBytes == sizeof(std::uint8_t) && kLongBytes == sizeof(std::uint32_t));
  static_assert(kWideExpiryBytes == sizeof(Instant::ms) && kExpiryBytes < kWideExpiryBytes);
  static_assert(std::endian::native == std::endian::little, "numbers are cut to their low bytes, which lie in front");

  static constexpr std::uint8_t kFormMask = 7;
  static constexpr std::uint8_t kExpiry = 8;
  static constexpr std::uint8_t kWideExpiry = 16;
  static constexpr std::uint8_t kLongKey = 32;
  static constexpr std::uint8_t kLongValue = 64;
  static constexpr std::uint8_t kOwnBlock =
      128;  // with kExpiry and kWideExpiry never both: no entry begins with 0xfe, 0xff
  static_assert(kFormMask + kExpiry + kWideExpiry + kLongKey + kLongValue + kOwnBlock == 0xff &&
                    (kFormMask ^ kExpiry ^ kWideExpiry ^ kLongKey ^ kLongValue ^ kOwnBlock) == 0xff,
                "every bit of the marks is of one of them");
  static_assert(static_cast<unsigned>(ValueForm::Object) <= kFormMask);  // the highest
  static_assert((kNoEntry & kExpiry) != 0 && (kNoEntry & kWideExpiry) != 0 && kNoEntry == 0xfe);

  /// Where the parts stand, in bytes from the entry's start.
  struct Layout {
    std::size_t key_length;
    std::size_t value_length;
    std::size_t key_at;
    std::size_t value_at;
  };
  static std::uint8_t marks_of(const EntryContent& content);
  static Layout layout_of(std::uint8_t marks, std::size_t key_length, std::size_t value_length);
  Layout layout() const;

  // The same without conditions, for the parts that every access needs: looked up by the marks.
  static constexpr unsigned bit(unsigned marks, unsigned mark) { return (marks & mark) != 0 ? 1 : 0; }
  static constexpr std::size_t expiry_at(unsigned marks) {
    return 1 + kShortBytes * 2 + (kLongBytes - kShortBytes) * (bit(marks, kLongKey) + bit(marks, kLongValue));
  }
  static constexpr unsigned kPartsShift = 3;  // the marks that say where parts are, by number
  static constexpr unsigned kParts = 16;
  static_assert((kExpiry | kWideExpiry | kLongKey | kLongValue) == (kParts - 1) << kPartsShift);
  static const std::array<std::uint8_t, kParts> kKeyAt;
  static std::size_t key_at(unsigned marks) { return kKeyAt[marks >> kPartsShift & (kParts - 1)]; }
  static std::size_t load_length(const char* from, bool is_long) {
    if (!is_long) [[likely]] {
      return static_cast<unsigned char>(*from);
    }
    std::uint32_t length = 0;
    std::memcpy(&length, from, sizeof length);
    return length;
  }
  static void store_length(char* to, std::size_t length, bool is_long) {
    const auto stored = static_cast<std::uint32_t>(length);
    std::memcpy(to, &stored, is_long ? kLongBytes : kShortBytes);
  }
  std::uint8_t marks() const { return static_cast<std::uint8_t>(*bytes()); }
  char* bytes() { return reinterpret_cast<char*>(this); }
  const char* bytes() const { return reinterpret_cast<const char*>(this); }
  std::int64_t stored_expiry() const;
  void store_expiry(Instant expiry);
  ValueForm form() const { return static_cast<ValueForm>(marks() & kFormMask); }
  void store_value(const Layout& at, const Value& value);
  bool assign_other(const Layout& at, const Value& value);
  bool change_expiry(Instant expiry);
  void store_value_length(std::size_t length);
  static std::int64_t load_number(ByteView from);
};

inline constexpr std::array<std::uint8_t, Entry::kParts> Entry::kKeyAt = [] {
  std::array<std::uint8_t, kParts> at{};
  for (unsigned parts = 0; parts < kParts; ++parts) {
    const unsigned marks = parts << kPartsShift;
    at[parts] = static_cast<std::uint8_t>(expiry_at(marks) + kExpiryBytes * bit(marks, kExpiry) +
                                          kWideExpiryBytes * bit(marks, kWideExpiry));
  }
  return at;
}();
static_assert(sizeof(Entry) == 1 && alignof(Entry) == 1, "its bytes lie behind its address, at any");

// What every command asks for, inline.

inline Entry::Layout Entry::layout_of(std::uint8_t marks, std::size_t key_length, std::size_t value_length) {
  constexpr auto kAt = [](unsigned with) { return unsigned{kKeyAt[with >> kPartsShift]}; };
  static_assert(kAt(0) == 3 && kAt(kExpiry) == 3 + 5 && kAt(kWideExpiry) == 3 + 8, "as the class says");
  static_assert(kAt(kLongKey) == 6 && kAt(kLongValue) == 6 && kAt(kLongKey | kLongValue) == 9);
  static_assert(kAt(kExpiry | kLongKey | kLongValue) == 9 + 5 && kAt(kWideExpiry | kLongKey | kLongValue) == 9 + 8);
  Layout at{key_length, value_length, key_at(marks), 0};
  at.value_at = at.key_at + key_length;
  return at;
}

inline Entry::Layout Entry::layout() const {
  const std::uint8_t all = marks();
  const bool long_key = (all & kLongKey) != 0;
  const std::size_t key_length = load_length(bytes() + 1, long_key);
  const std::size_t value_length =
      load_length(bytes() + 1 + (long_key ? kLongBytes : kShortBytes), (all & kLongValue) != 0);
  return layout_of(all, key_length, value_length);
}

inline ByteView Entry::key() const {
  const unsigned all = marks();
  return {bytes() + key_at(all), load_length(bytes() + 1, (all & kLongKey) != 0)};
}

inline ValueType Entry::type() const {
  const ValueForm kept = form();
  if (kept <= ValueForm::Raw) [[likely]] {
    return ValueType::String;
  }
  return kept == ValueForm::PackedList ? ValueType::List : static_cast<ValueType>(bytes()[layout().value_at]);
}

inline StringValue Entry::string() const {
  const Layout at = layout();
  const auto kept = static_cast<StringForm>(marks() & kFormMask);
  const ByteView value{bytes() + at.value_at, at.value_length};
  if (kept == StringForm::Integer) return StringValue::integer(load_number(value));
  return {kept, 0, value, in_own_block() ? this : nullptr};
}

inline std::optional<Instant> Entry::expiry() const {
  if (!has_expiry()) return std::nullopt;
  return Instant{stored_expiry()};
}

inline bool Entry::assign_in_place(const Value& value) {
  const Layout at = layout();
  // Other bytes in the place of as many, mostly.
  if (value.form != ValueForm::Plain || has_object() || value.bytes.size() != at.value_length) {
    return assign_other(at, value);
  }
  *bytes() = static_cast<char>((marks() & ~kFormMask) | static_cast<std::uint8_t>(ValueForm::Plain));
  if (!value.bytes.empty()) std::memmove(bytes() + at.value_at, value.bytes.data(), value.bytes.size());
  return true;
}

inline bool Entry::set_expiry_in_place(std::optional<Instant> expiry) {
  if (!expiry || !has_expiry()) return expiry.has_value() == has_expiry();
  return change_expiry(*expiry);
}

}  // namespace magpie::engine
