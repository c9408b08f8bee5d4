#include "server/replication/tail_repair.h"

#include <algorithm>
#include <limits>
#include <set>
#include <type_traits>

#include "protocol/shared_bytes.h"
#include "server/engine/entry_block.h"
#include "server/engine/list.h"
#include "server/replication/large_values.h"
#include "server/replication/record.h"

namespace magpie::server {
namespace {

/// Calls visit(effect) for the effects of complete records until it returns false; false then, and if there is anything
/// else.
template <class Visit>
bool for_each_effect(ByteView records, engine::EffectDecoder& decoder, Visit&& visit) {
  while (!records.empty()) {
    if (records.size() < kRecordHeader || records.size() - kRecordHeader < record_size(records)) return false;
    const std::size_t size = kRecordHeader + record_size(records);
    for (ByteView effects = records.substr(kRecordHeader, size - kRecordHeader); !effects.empty();) {
      const auto effect = decoder.take(effects);
      if (!effect || !visit(*effect)) return false;
    }
    records.remove_prefix(size);
  }
  return true;
}

/// Calls use(db, key) for an effect on a key; false for one on whole databases.
template <class Use>
bool with_key(const engine::Effect& effect, Use&& use) {
  return std::visit(
      [&]<class SomeEffect>(const SomeEffect& one) {
        if constexpr (std::is_same_v<SomeEffect, engine::Flush> || std::is_same_v<SomeEffect, engine::SwapDb>) {
          return false;
        } else {
          use(one.db, one.key);
          return true;
        }
      },
      effect);
}

/// Calls use(db, key) for each effect from there on; false if one is not kept, or is on whole databases.
template <class Use>
bool for_each_key(const EffectLog& log, Lsn from, std::uint32_t databases, Use&& use) {
  engine::EffectDecoder decoder(databases);
  const Lsn end = log.end();
  for (Lsn at = from; at < end;) {
    const auto segment = log.segment_at(at);
    if (segment == nullptr) return false;
    const ByteView records = segment->from(at);
    if (!for_each_effect(records, decoder, [&](const engine::Effect& effect) { return with_key(effect, use); })) {
      return false;
    }
    at = at + records.size();
  }
  return true;
}

}  // namespace

std::optional<ByteBuffer> touched_keys(const EffectLog& log, Lsn from, std::uint32_t databases, std::size_t most) {
  if (log.end() - from > most) return std::nullopt;
  std::set<std::pair<std::uint32_t, std::string>> keys;
  ByteBuffer touched;
  const bool done = for_each_key(log, from, databases, [&](Db db, const engine::Key& key) {
    if (keys.emplace(index_of(db), key.bytes).second) append_record(touched, engine::Erase{db, key});
  });
  if (!done) return std::nullopt;
  return touched;
}

/// A value that is too large to be copied under a lock.
struct KeyStates::Shared {
  SharedBytes bytes;
  engine::List list;
  std::optional<engine::Value> value;  // one of them
  std::optional<Instant> expiry;

  void share(const engine::Entry& entry) {
    expiry = entry.expiry();
    if (entry.type() == engine::ValueType::List) {
      list = *entry.list().large();
      value = engine::ListView(list);
    } else {
      bytes = engine::EntryBlock::refer(entry, entry.string().bytes);
      value = engine::StringValue::raw(bytes.view());
    }
  }
};

KeyStates::KeyStates(engine::Keyspace& keyspace, std::shared_ptr<const EffectLog> log, Lsn from, ByteBuffer touched)
    : keyspace_(keyspace),
      log_(std::move(log)),
      decoder_(keyspace.databases()),
      touched_(std::move(touched)),
      lsn_(from),
      checked_(from) {}

KeyStates::State KeyStates::produce(ByteBuffer& records, std::size_t most) {
  if (sent_ == piece_.size()) {
    const bool all_read = keys_.empty() && taken_ == touched_.size();
    if (all_read && checked_ >= lsn_) return State::Done;
    if (!(all_read ? check_log() : read_piece())) return State::Impossible;
  }
  const ByteView part = piece_.view().substr(sent_, most);
  records.append(part);
  sent_ += part.size();
  return State::More;
}

/// The keys of the next piece; false if there is something else.
bool KeyStates::take_keys() {
  constexpr std::size_t kMostKeys = 64;
  while (keys_.size() < kMostKeys && taken_ < touched_.size()) {
    const ByteView rest = touched_.view().substr(taken_);
    if (rest.size() < kRecordHeader || rest.size() - kRecordHeader < record_size(rest)) return false;
    ByteView effects = rest.substr(kRecordHeader, record_size(rest));
    taken_ += kRecordHeader + effects.size();
    while (!effects.empty()) {
      const auto effect = decoder_.take(effects);
      if (!effect || !with_key(*effect, [&](Db db, const engine::Key& key) { keys_.push_back({db, key}); })) {
        return false;
      }
    }
  }
  return true;
}

bool KeyStates::read_piece() {
  constexpr std::size_t kMost = std::size_t{64} << 20;  // bytes
  if (!take_keys()) return false;
  piece_.release();
  sent_ = 0;
  Shared large;
  const std::size_t keys = read_keys(large);
  if (large.value) {
    if (large.bytes.size() > kMost) return false;
    append_record(piece_, engine::Put(keys_.front().db, keys_.front().key, *large.value, large.expiry));
  }
  keys_.erase(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(keys));
  read_ += piece_.size();
  return read_ <= kMost;
}

/// Returns how many it was: a large value comes alone.
std::size_t KeyStates::read_keys(Shared& large) {
  constexpr std::size_t kMostPiece = std::size_t{32} << 10;  // bytes that are copied under the locks
  constexpr Instant kLongAgo{std::numeric_limits<std::int64_t>::min()};  // at which nothing has expired
  engine::StripeMask stripes = 0;
  for (const KeyOf& one : keys_) stripes |= engine::mask_of(one.key.stripe);
  const engine::Keyspace::Guard guard = keyspace_.lock(stripes);
  lsn_ = log_->end();
  std::size_t read = 0;
  for (; read < keys_.size() && piece_.size() < kMostPiece; ++read) {
    const auto& [db, key] = keys_[read];
    const engine::Entry* const entry = keyspace_.peek(db, key, kLongAgo);
    if (entry == nullptr) {
      append_record(piece_, engine::Erase{db, key});
    } else if (!LargeValues::is_large(*entry)) {
      append_record(piece_, engine::Put(db, key, entry->value(), entry->expiry()));
    } else if (read > 0) {
      return read;
    } else {
      large.share(*entry);
      return 1;
    }
  }
  return read;
}

/// A piece of it.
bool KeyStates::check_log() {
  const auto segment = log_->segment_at(checked_);
  if (segment == nullptr) return false;
  const ByteView records = segment->from(checked_);
  checked_ = checked_ + records.size();
  return for_each_effect(records, decoder_,
                         [](const engine::Effect& effect) { return with_key(effect, [](Db, const engine::Key&) {}); });
}

void ReceivedStates::append(ByteView records, Lsn until) {
  if (records.empty()) return;
  records_.append(records);
  until_ = std::max(until_, until);
  if (!parts_.empty() && parts_.back().until == until) {
    parts_.back().end = records_.size();
  } else {
    parts_.push_back({records_.size(), until});
  }
}

bool ReceivedStates::install(engine::Keyspace& keyspace, Instant now, Repair& repair) const {
  engine::EffectDecoder decoder(keyspace.databases());
  auto part = parts_.begin();
  std::size_t end = 0;  // of the record
  const auto take = [&](const engine::Effect& effect) {
    if (!std::holds_alternative<engine::Put>(effect) && !std::holds_alternative<engine::Erase>(effect)) return false;
    keyspace.replay(effect, now);
    return with_key(effect, [&](Db db, const engine::Key& key) { repair.add(db, key.bytes, part->until); });
  };
  for (ByteView rest = records_.view(); !rest.empty(); rest = records_.view().substr(end)) {
    if (rest.size() < kRecordHeader || rest.size() - kRecordHeader < record_size(rest)) return false;
    const ByteView record = rest.substr(0, kRecordHeader + record_size(rest));
    end += record.size();
    while (part->end < end) ++part;
    if (!for_each_effect(record, decoder, take)) return false;
  }
  return true;
}

}  // namespace magpie::server
