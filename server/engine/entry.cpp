#include "server/engine/entry.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace magpie::engine {
namespace {

constexpr std::size_t kShortLength = std::numeric_limits<std::uint8_t>::max();
constexpr std::int64_t kExpiryEpochMs = 1'577'836'800'000;  // 2020-01-01; five bytes reach to 2054
constexpr std::int64_t kExpiryRangeMs = std::int64_t{1} << 40;

bool fits_five_bytes(Instant expiry) {
  return expiry.ms >= kExpiryEpochMs && expiry.ms < kExpiryEpochMs + kExpiryRangeMs;
}

/// Bytes that a number takes: 1, 2, 4 or 8, little-endian, two's complement.
std::size_t size_of_number(std::int64_t number) {
  if (number == static_cast<std::int8_t>(number)) return 1;
  if (number == static_cast<std::int16_t>(number)) return 2;
  return number == static_cast<std::int32_t>(number) ? 4 : 8;
}

constexpr std::size_t kObjectBytes = 1 + sizeof(std::uintptr_t);  // its type and its address

std::size_t stored_size(const Value& value) {
  switch (value.form) {
    case ValueForm::Integer:
      return size_of_number(value.number);
    case ValueForm::PackedList:
      return 1 + value.bytes.size();
    case ValueForm::Object:
      return kObjectBytes;
    case ValueForm::Plain:
    case ValueForm::Raw:
      break;
  }
  return value.bytes.size();
}

}  // namespace

std::int64_t Entry::load_number(ByteView from) {
  std::int64_t number = 0;
  std::memcpy(&number, from.data(), from.size());
  const auto unused = static_cast<unsigned>(64 - 8 * from.size());
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(number) << unused) >> unused;  // the sign comes back
}

std::uint8_t Entry::marks_of(const EntryContent& content) {
  static_assert(kShortLength + 1 == std::size_t{1} << (8 * kShortBytes));
  static_assert(kExpiryRangeMs == std::int64_t{1} << (8 * kExpiryBytes));
  auto marks = static_cast<std::uint8_t>(content.value.form);
  if (content.expiry) marks |= fits_five_bytes(*content.expiry) ? kExpiry : kWideExpiry;
  if (content.key.size() > kShortLength) marks |= kLongKey;
  if (std::max(stored_size(content.value), content.room) > kShortLength) marks |= kLongValue;
  return marks;
}

std::size_t Entry::size_of(const EntryContent& content) {
  const Layout at = layout_of(marks_of(content), content.key.size(), 0);
  return at.value_at + std::max(stored_size(content.value), content.room);
}

Entry* Entry::write(void* memory, const EntryContent& content) {
  auto* const entry = static_cast<Entry*>(memory);
  const std::uint8_t marks = marks_of(content);
  *entry->bytes() = static_cast<char>(marks);
  const Layout at = layout_of(marks, content.key.size(), stored_size(content.value));
  store_length(entry->bytes() + 1, content.key.size(), (marks & kLongKey) != 0);
  entry->store_value_length(at.value_length);
  if (content.expiry) entry->store_expiry(*content.expiry);
  if (!content.key.empty()) std::memcpy(entry->bytes() + at.key_at, content.key.data(), content.key.size());
  entry->store_value(at, content.value);
  return entry;
}

void Entry::store_value_length(std::size_t length) {
  const bool long_key = (marks() & kLongKey) != 0;
  store_length(bytes() + 1 + (long_key ? kLongBytes : kShortBytes), length, (marks() & kLongValue) != 0);
}

void Entry::store_value(const Layout& at, const Value& value) {
  *bytes() = static_cast<char>((marks() & ~kFormMask) | static_cast<std::uint8_t>(value.form));
  char* const to = bytes() + at.value_at;
  if (value.form == ValueForm::Integer) {
    std::memcpy(to, &value.number, at.value_length);
  } else if (value.form == ValueForm::PackedList) {
    std::memmove(to + 1, value.bytes.data(), value.bytes.size());
    *to = static_cast<char>(value.count);
  } else if (value.form == ValueForm::Object) {
    *to = static_cast<char>(value.type());
    const auto address = reinterpret_cast<std::uintptr_t>(value.list);
    std::memcpy(to + 1, &address, sizeof address);
  } else if (at.value_length > 0) {
    std::memmove(to, value.bytes.data(), at.value_length);
  }
}

std::size_t Entry::size() const {
  const Layout at = layout();
  return at.value_at + at.value_length;
}

Value Entry::value() const {
  const ValueForm kept = form();
  if (kept <= ValueForm::Raw) return string();
  if (kept == ValueForm::Object) return ListView(*const_cast<Entry*>(this)->large_list());
  const Layout at = layout();
  const char* const value = bytes() + at.value_at;
  return ListView(PackedView({value + 1, at.value_length - 1}, static_cast<unsigned char>(*value)));
}

List* Entry::large_list() {
  if (type() != ValueType::List || !has_object()) return nullptr;
  std::uintptr_t address = 0;
  std::memcpy(&address, bytes() + layout().value_at + 1, sizeof address);
  return reinterpret_cast<List*>(address);  // NOLINT(performance-no-int-to-ptr): the entry is not aligned for one
}

std::size_t Entry::object_memory() const { return has_object() ? value().list->memory() : 0; }

void Entry::release_object() {
  if (List* const list = large_list()) destroy_list(list);
}

std::int64_t Entry::stored_expiry() const {
  const char* const from = bytes() + expiry_at(marks());
  std::int64_t stored = 0;
  if ((marks() & kWideExpiry) != 0) {
    std::memcpy(&stored, from, kWideExpiryBytes);
    return stored;
  }
  std::memcpy(&stored, from, kExpiryBytes);
  return kExpiryEpochMs + stored;
}

void Entry::store_expiry(Instant expiry) {
  const bool wide = (marks() & kWideExpiry) != 0;
  const std::int64_t stored = wide ? expiry.ms : expiry.ms - kExpiryEpochMs;
  std::memcpy(bytes() + expiry_at(marks()), &stored, wide ? kWideExpiryBytes : kExpiryBytes);
}

bool Entry::assign_other(const Layout& at, const Value& value) {
  if (has_object() || value.form == ValueForm::Object || stored_size(value) != at.value_length) return false;
  store_value(at, value);
  return true;
}

bool Entry::change_expiry(Instant expiry) {
  if ((marks() & kWideExpiry) == 0 && !fits_five_bytes(expiry)) return false;
  store_expiry(expiry);
  return true;
}

bool Entry::overwrite_in_place(std::size_t offset, ByteView bytes, std::size_t capacity) {
  const Layout at = layout();
  const std::size_t end = offset + bytes.size();
  char* const value = this->bytes() + at.value_at;
  if (end > at.value_length) {
    if (at.value_at + end > capacity || (end > kShortLength && (marks() & kLongValue) == 0)) return false;
    if (offset > at.value_length) std::memset(value + at.value_length, 0, offset - at.value_length);
    store_value_length(end);
  }
  if (!bytes.empty()) std::memmove(value + offset, bytes.data(), bytes.size());
  *this->bytes() = static_cast<char>((marks() & ~kFormMask) | static_cast<std::uint8_t>(StringForm::Raw));
  return true;
}

}  // namespace magpie::engine
