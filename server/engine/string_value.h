#pragma once

#include <cstdint>

#include "protocol/bytes.h"
#include "protocol/numbers.h"

namespace magpie::engine {

class Entry;

/// How a string is kept, which OBJECT ENCODING shows. `Plain` reads as embstr up to 44 bytes and as raw above, `Raw`
/// (a string that was changed in place) always as raw.
enum class StringForm : std::uint8_t { Integer, Plain, Raw };

inline constexpr std::size_t kEmbeddedStringMax = 44;

/// A string on its way into an entry, or borrowed from one. Bytes are borrowed.
struct StringValue {
  StringForm form = StringForm::Plain;
  std::int64_t number = 0;  // Integer only
  ByteView bytes;           // Plain and Raw only
  const Entry* block = nullptr;  // the entry, if it lies in a block that replies may refer to (EntryBlock)

  static StringValue integer(std::int64_t number) { return {StringForm::Integer, number, {}}; }
  static StringValue plain(ByteView bytes) { return {StringForm::Plain, 0, bytes}; }
  static StringValue raw(ByteView bytes) { return {StringForm::Raw, 0, bytes}; }
  /// As SET keeps what a client sent: a canonical 64-bit integer as a number.
  static StringValue compact(ByteView bytes) {
    if (!bytes.empty() && bytes.size() <= kIntegerDigits && (bytes[0] == '-' || (bytes[0] >= '0' && bytes[0] <= '9'))) {
      if (const auto number = parse_integer(bytes)) return integer(*number);
    }
    return plain(bytes);
  }
};

/// Room to spell out a string that is kept as a number.
struct IntegerScratch {
  char digits[kIntegerDigits];
};

/// The string's bytes; for an Integer they are written to `scratch`, which must then live as long as the result.
inline ByteView text_of(const StringValue& value, IntegerScratch& scratch) {
  if (value.form != StringForm::Integer) return value.bytes;
  return {scratch.digits, format_integer(value.number, scratch.digits)};
}

inline const char* encoding_name(const StringValue& value) {
  if (value.form == StringForm::Integer) return "int";
  return value.form == StringForm::Plain && value.bytes.size() <= kEmbeddedStringMax ? "embstr" : "raw";
}

}  // namespace magpie::engine
