#include "server/engine/entry.h"

#include <cstring>
#include <new>

#include "server/engine/memory.h"

namespace magpie::engine {
namespace {

std::size_t stored_size(const StringValue& value) {
  return value.form == StringForm::Integer ? sizeof(std::int64_t) : value.bytes.size();
}

}  // namespace

void Entry::Deleter::operator()(Entry* entry) const { deallocate(entry); }

Entry::Owner Entry::allocate(ByteView key, std::size_t value_room, std::optional<Instant> expiry) {
  const std::size_t expiry_room = expiry ? sizeof(std::int64_t) : 0;
  void* block = engine::allocate(sizeof(Entry) + expiry_room + key.size() + value_room);
  auto* entry = new (block) Entry;
  if (expiry) {
    entry->flags_ = kHasExpiry;
    std::memcpy(reinterpret_cast<char*>(entry) + sizeof(Entry), &expiry->ms, sizeof expiry->ms);
  }
  entry->key_length_ = static_cast<std::uint32_t>(key.size());
  if (!key.empty()) std::memcpy(entry->payload(), key.data(), key.size());
  return Owner(entry);
}

Entry::Owner Entry::make(ByteView key, const StringValue& value, std::optional<Instant> expiry, std::uint32_t access) {
  Owner entry = allocate(key, stored_size(value), expiry);
  entry->access_ = access;
  entry->store_value(value);
  return entry;
}

void Entry::store_value(const StringValue& value) {
  flags_ = static_cast<std::uint8_t>((flags_ & ~kFormMask) | static_cast<std::uint8_t>(value.form));
  value_length_ = static_cast<std::uint32_t>(stored_size(value));
  const char* from =
      value.form == StringForm::Integer ? reinterpret_cast<const char*>(&value.number) : value.bytes.data();
  if (value_length_ > 0) std::memmove(this->value(), from, value_length_);
}

StringValue Entry::string() const {
  const auto form = static_cast<StringForm>(flags_ & kFormMask);
  const char* at = payload() + key_length_;
  if (form != StringForm::Integer) return {form, 0, {at, value_length_}};
  std::int64_t number = 0;
  std::memcpy(&number, at, sizeof number);
  return StringValue::integer(number);
}

std::int64_t Entry::stored_expiry() const {
  std::int64_t ms = 0;
  std::memcpy(&ms, reinterpret_cast<const char*>(this) + sizeof(Entry), sizeof ms);
  return ms;
}

std::size_t Entry::value_room() const { return usable_size(this) - sizeof(Entry) - expiry_room() - key_length_; }

std::size_t Entry::memory() const { return usable_size(this); }

bool Entry::assign_in_place(const StringValue& value) {
  const std::size_t size = stored_size(value);
  if (size == value_length_) {  // the common overwrite: no need to ask the allocator
    store_value(value);
    return true;
  }
  const std::size_t room = value_room();
  if (size > room || (room - size) * 2 > usable_size(this)) return false;
  store_value(value);
  return true;
}

bool Entry::set_expiry_in_place(std::optional<Instant> expiry) {
  const bool has = (flags_ & kHasExpiry) != 0;
  if (!has && !expiry) return true;
  if (has != expiry.has_value()) return false;
  std::memcpy(reinterpret_cast<char*>(this) + sizeof(Entry), &expiry->ms, sizeof expiry->ms);
  return true;
}

bool Entry::overwrite_in_place(std::size_t offset, ByteView bytes) {
  const std::size_t end = offset + bytes.size();
  if (end > value_length_) {
    if (end > value_room()) return false;
    if (offset > value_length_) std::memset(value() + value_length_, 0, offset - value_length_);
    value_length_ = static_cast<std::uint32_t>(end);
  }
  if (!bytes.empty()) std::memmove(value() + offset, bytes.data(), bytes.size());
  flags_ = static_cast<std::uint8_t>((flags_ & ~kFormMask) | static_cast<std::uint8_t>(StringForm::Raw));
  return true;
}

Entry::Owner Entry::copy_with_room(std::size_t capacity) const {
  IntegerScratch scratch;
  const ByteView text = text_of(string(), scratch);
  Owner copy = allocate(key(), capacity < text.size() ? text.size() : capacity, expiry());
  copy->access_ = access_;
  copy->store_value(StringValue::raw(text));
  return copy;
}

}  // namespace magpie::engine
