#include "server/replication/large_values.h"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "protocol/check.h"
#include "server/replication/record.h"

namespace magpie::server {
namespace {

constexpr std::size_t kLarge = std::size_t{16} << 10;  // bytes of a value
constexpr std::size_t kPart = std::size_t{32} << 10;   // bytes
constexpr std::size_t kMostElements = 4096;            // of a part

template <class Effect>
constexpr bool kOfString = std::is_same_v<Effect, engine::Overwrite>;
template <class Effect>
constexpr bool kOfList = std::is_same_v<Effect, engine::ListPush> || std::is_same_v<Effect, engine::ListSet> ||
                         std::is_same_v<Effect, engine::ListInsert> || std::is_same_v<Effect, engine::ListErase>;

/// A copy that shares what is large.
engine::List share(const engine::ListView& list) {
  return list.large() != nullptr ? *list.large() : engine::List(engine::PackedRun(list.packed()));
}

}  // namespace

bool LargeValues::is_large(const engine::Entry& entry) {
  const engine::Value value = entry.value();
  if (value.type() == engine::ValueType::List) return value.list != nullptr && value.list->memory() > kLarge;
  return value.bytes.size() > kLarge;
}

void LargeValues::add(Db db, const engine::Entry& entry) {
  values_.push_back({db, std::string(entry.key()), engine::hash_of(entry.key()), entry.type()});
}

LargeValues::Place LargeValues::find(Db db, const engine::Key& key) {
  return std::ranges::find_if(
      values_, [&](const LargeValue& one) { return one.hash == key.hash && one.db == db && one.key == key.bytes; });
}

/// The log brings it from now on.
void LargeValues::drop(const Place& place) {
  if (place == values_.begin()) part_.reset();
  values_.erase(place);
}

/// A string is copied, for whoever changes one that is shared copies all of it. How much of a list the log had brought
/// by then is known only later, so all of it is shared.
Lsn LargeValues::read_part(engine::Keyspace& keyspace, const EffectLog& log) {
  constexpr Instant kLongAgo{std::numeric_limits<std::int64_t>::min()};  // at which nothing has expired
  const LargeValue& value = values_.front();
  const engine::Key key = engine::Key::of(value.key);
  part_.emplace(Part{});
  const engine::Keyspace::Guard guard = keyspace.lock(engine::mask_of(key.stripe));
  const engine::Entry* const entry = keyspace.peek(value.db, key, kLongAgo);
  // Another type or none: the log says so up to here, and there will be nothing left to send.
  if (entry == nullptr || entry->type() != value.type) return log.end();
  part_->expiry = entry->expiry();
  if (value.type == engine::ValueType::List) {
    part_->list = share(entry->list());
    return log.end();
  }
  engine::IntegerScratch scratch;
  const ByteView bytes = text_of(entry->string(), scratch);
  part_->size = bytes.size();
  const std::size_t most = value.sent == 0 && bytes.size() <= 2 * kPart ? bytes.size() : kPart;
  part_->bytes = bytes.substr(std::min(value.sent, bytes.size()), most);
  return log.end();
}

void LargeValues::send_part(ByteBuffer& records) {
  LargeValue& value = values_.front();
  const engine::Key key = engine::Key::of(value.key);
  const bool all = value.type == engine::ValueType::List ? send_elements(value, key, records)  //
                                                         : send_some(value, key, records);
  if (all && part_->expiry) append_record(records, engine::SetExpiry{value.db, key, part_->expiry});
  part_.reset();
  if (all) values_.pop_front();
}

/// True if that was all of it. With its first part a string gets its whole length, so that it need not grow with each.
bool LargeValues::send_some(LargeValue& value, const engine::Key& key, ByteBuffer& records) const {
  const ByteView bytes = part_->bytes;
  if (value.sent > 0) {
    append_record(records, engine::Overwrite{value.db, key, value.sent, bytes});
  } else {
    append_record(records, engine::Put(value.db, key, engine::StringValue::raw(bytes), {}));
    constexpr ByteView kZero("\0", 1);
    if (bytes.size() < part_->size) append_record(records, engine::Overwrite{value.db, key, part_->size - 1, kZero});
  }
  value.sent += bytes.size();
  return value.sent >= part_->size;
}

/// The same. A list that is gone has no elements, and none have been sent then.
bool LargeValues::send_elements(LargeValue& value, const engine::Key& key, ByteBuffer& records) const {
  const std::size_t size = part_->list.size();
  CHECK(value.sent <= size);  // they are the list's first
  std::vector<ByteView> elements;
  std::vector<engine::IntegerScratch> digits;
  digits.reserve(kMostElements);  // they must not move
  std::size_t bytes = 0;
  engine::ListView::Cursor at(engine::ListView(part_->list), value.sent);
  for (; at.valid() && bytes < kPart && elements.size() < kMostElements; at.next()) {
    elements.push_back(text_of(at.value(), digits.emplace_back()));
    bytes += elements.back().size();
  }
  if (!elements.empty()) {
    append_record(records, engine::ListPush{value.db, key, engine::ListEnd::Back, elements});
  }
  value.sent += elements.size();
  return value.sent == size;
}

LargeValues::Sent LargeValues::cut(engine::Effect& effect) {
  if (values_.empty()) return Sent::All;
  return std::visit([&](auto& one) { return cut_at(one); }, effect);
}

LargeValues::Sent LargeValues::cut_at(engine::Flush& effect) {
  const auto gone = [&](const LargeValue& one) { return !effect.db || one.db == *effect.db; };
  if (gone(values_.front())) part_.reset();
  std::erase_if(values_, gone);
  return Sent::All;
}

LargeValues::Sent LargeValues::cut_at(engine::SwapDb& effect) {
  part_.reset();  // it may be another database's
  for (LargeValue& one : values_) {
    if (one.db == effect.first) {
      one.db = effect.second;
    } else if (one.db == effect.second) {
      one.db = effect.first;
    }
  }
  return Sent::All;
}

template <class OfKey>
LargeValues::Sent LargeValues::cut_at(OfKey& effect) {
  const Place value = find(effect.db, effect.key);
  if (value == values_.end()) return Sent::All;
  if constexpr (std::is_same_v<OfKey, engine::SetExpiry>) {
    return Sent::None;  // it comes with the last part
  } else {
    if constexpr (kOfString<OfKey> || kOfList<OfKey>) {
      constexpr auto kType = kOfString<OfKey> ? engine::ValueType::String : engine::ValueType::List;
      if (value->type == kType) return cut_to(value->sent, effect);
    }
    drop(value);
    return Sent::All;
  }
}

LargeValues::Sent LargeValues::cut_to(std::size_t sent, engine::Overwrite& effect) {
  if (effect.offset >= sent) return Sent::None;
  if (effect.bytes.size() <= sent - effect.offset) return Sent::All;
  effect.bytes = effect.bytes.substr(0, sent - effect.offset);
  return Sent::Some;
}

LargeValues::Sent LargeValues::cut_to(std::size_t& sent, engine::ListPush& effect) {
  if (effect.end == engine::ListEnd::Back) return Sent::None;
  sent += effect.elements.size();
  return Sent::All;
}

LargeValues::Sent LargeValues::cut_to(std::size_t sent, engine::ListSet& effect) {
  return effect.index < sent ? Sent::All : Sent::None;
}

LargeValues::Sent LargeValues::cut_to(std::size_t& sent, engine::ListInsert& effect) {
  if (effect.index >= sent) return Sent::None;
  ++sent;
  return Sent::All;
}

LargeValues::Sent LargeValues::cut_to(std::size_t& sent, engine::ListErase& effect) {
  if (effect.first >= sent) return Sent::None;
  const std::size_t there = std::min(effect.count, sent - effect.first);
  sent -= there;
  return std::exchange(effect.count, there) == there ? Sent::All : Sent::Some;
}

}  // namespace magpie::server
