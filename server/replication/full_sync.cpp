#include "server/replication/full_sync.h"

#include <algorithm>
#include <utility>

#include "protocol/check.h"
#include "protocol/varint.h"
#include "server/engine/entry_block.h"
#include "server/replication/record.h"

namespace magpie::server {
namespace {

constexpr std::size_t kChunk = std::size_t{32} << 10;  // bytes
constexpr std::size_t kMostBuckets = 64;  // that are looked at under one lock
constexpr std::size_t kLarge = std::size_t{16} << 10;  // bytes of a value
// A log that has run ahead so far comes before the next chunk.
constexpr std::uint64_t kMostBehind = std::uint64_t{1} << 20;

}  // namespace

FullSync::FullSync(engine::Keyspace& keyspace, std::shared_ptr<EffectLog> log)
    : keyspace_(keyspace), log_(std::move(log)), decoder_(keyspace.databases()) {
  log_->begin_sync();
  sent_ = target_ = log_->end();
}

FullSync::~FullSync() { log_->end_sync(); }

FullSync::State FullSync::produce(ByteBuffer& records, std::size_t most) {
  const std::size_t end = records.size() + most;
  while (records.size() < end) {
    const std::size_t room = end - records.size();
    if (sent_ < target_) {
      if (!send_log(records, room)) return State::Lost;
    } else if (!chunk_.empty()) {
      records.append(chunk_.view());
      chunk_.truncate(0);
      cursor_ = next_;
    } else if (!large_.empty()) {
      cursor_ = next_;
      if (std::visit([&](auto& value) { return send_part(value, records, room); }, large_.front())) large_.pop_front();
    } else if (log_->end() - sent_ > kMostBehind) {
      target_ = log_->end();
    } else if (next_.stripe < engine::kStripes) {
      cursor_ = next_;
      read_chunk();
    } else {
      cursor_ = next_;
      return State::Done;
    }
  }
  return State::More;
}

void FullSync::read_chunk() {
  const engine::StripeIndex stripe = engine::stripe_at(next_.stripe);
  const engine::Keyspace::Guard guard = keyspace_.lock(engine::mask_of(stripe));
  for (std::size_t buckets = 0; buckets < kMostBuckets && chunk_.size() < kChunk && large_.empty(); ++buckets) {
    next_.position =
        keyspace_.read_part(stripe, next_.position, [&](Db db, const engine::Entry& entry) { read_entry(db, entry); });
    if (next_.position != 0) continue;
    ++next_.stripe;
    break;
  }
  target_ = log_->end();  // under the lock: all that changed this stripe before is in the log up to there
}

void FullSync::read_entry(Db db, const engine::Entry& entry) {
  ++keys_;
  const engine::Value value = entry.value();
  const engine::Put put(db, engine::Key{entry.key()}, value, entry.expiry());
  if (value.type() == engine::ValueType::List && value.list != nullptr && value.list->memory() > kLarge) {
    large_.emplace_back(LargeList{db, std::string(entry.key()), entry.expiry(), *value.list});
  } else if (value.type() == engine::ValueType::String && value.bytes.size() > kLarge && entry.in_own_block()) {
    std::string head(kRecordHeader + engine::encoded_bound(engine::Put(db, put.key, engine::StringValue::raw({}), {})) +
                         kMostVarintBytes * 2,
                     '\0');
    head.resize(static_cast<std::size_t>(engine::encode_head(put, head.data() + kRecordHeader) - head.data()));
    put_record_header(head.data(), head.size() - kRecordHeader + value.bytes.size());
    large_.emplace_back(LargeString{std::move(head), engine::EntryBlock::refer(entry, value.bytes)});
  } else {
    append_record(chunk_, put);
  }
}

/// True if that was all of it.
bool FullSync::send_part(LargeString& value, ByteBuffer& records, std::size_t most) {
  if (!value.head.empty()) records.append(std::exchange(value.head, {}));
  const ByteView rest = value.bytes.view().substr(value.sent);
  const std::size_t now = std::min(rest.size(), most);
  records.append(rest.substr(0, now));
  value.sent += now;
  return now == rest.size();
}

/// The same: as records that push elements, and one for the expiry.
bool FullSync::send_part(LargeList& value, ByteBuffer& records, std::size_t most) const {
  const engine::Key key = engine::Key::of(value.key);
  std::vector<ByteView> elements;
  std::vector<engine::IntegerScratch> digits;
  std::size_t bytes = 0;
  const std::size_t size = value.list.size();
  constexpr std::size_t kMostElements = 4096;
  digits.reserve(kMostElements);  // they must not move
  engine::ListView::Cursor at(engine::ListView(value.list), value.sent);
  for (; at.valid() && bytes < most && elements.size() < kMostElements; at.next()) {
    elements.push_back(text_of(at.value(), digits.emplace_back()));
    bytes += elements.back().size();
  }
  value.sent += elements.size();
  append_record(records, engine::ListPush{value.db, key, engine::ListEnd::Back, elements});
  if (value.sent < size) return false;
  if (value.expiry) append_record(records, engine::SetExpiry{value.db, key, value.expiry});
  return true;
}

/// False if the log has not kept it.
bool FullSync::send_log(ByteBuffer& records, std::size_t most) {
  const std::shared_ptr<const LogSegment> segment = log_->segment_at(sent_);
  if (segment == nullptr) return false;
  ByteView bytes = segment->from(sent_);
  bytes = bytes.substr(0, std::min<std::uint64_t>(bytes.size(), target_ - sent_));
  const std::size_t end = records.size() + most;
  while (!bytes.empty() && records.size() < end) {
    std::size_t taken = 0;
    if (copying_ > 0) {
      taken = std::min({copying_, bytes.size(), end - records.size()});
      records.append(bytes.substr(0, taken));
      copying_ -= taken;
    } else {
      const std::size_t size = kRecordHeader + record_size(bytes);
      if (filter_record(bytes.substr(0, size), records)) {
        copying_ = size;
      } else {
        taken = size;
      }
    }
    bytes.remove_prefix(taken);
    sent_ = sent_ + taken;
  }
  return true;
}

/// True if the whole record is to be sent; else appends the effects of it that are, as a record of their own.
bool FullSync::filter_record(ByteView record, ByteBuffer& records) {
  std::string kept;
  bool all = true;
  for (ByteView rest = record.substr(kRecordHeader); !rest.empty();) {
    const ByteView before = rest;
    const auto effect = decoder_.take(rest);
    CHECK(effect.has_value());  // it is our own log
    if (covers(*effect)) {
      if (!all) kept += before.substr(0, before.size() - rest.size());
    } else {
      if (all) kept.assign(record.data() + kRecordHeader, before.data());
      all = false;
    }
  }
  if (all) return true;
  if (kept.empty()) return false;
  char* const to = records.reserve(kRecordHeader + kept.size());
  put_record_header(to, kept.size());
  std::ranges::copy(kept, to + kRecordHeader);
  records.commit(kRecordHeader + kept.size());
  return false;
}

bool FullSync::covers(const engine::Effect& effect) const {
  return std::visit(
      [&]<class SomeEffect>(const SomeEffect& one) {
        if constexpr (std::is_same_v<SomeEffect, engine::Flush> || std::is_same_v<SomeEffect, engine::SwapDb>) {
          return true;  // they are of what the cursor has passed too
        } else {
          const unsigned stripe = index_of(one.key.stripe);
          if (stripe != cursor_.stripe) return stripe < cursor_.stripe;
          return engine::Table::position_of(one.key.hash) < cursor_.position;
        }
      },
      effect);
}

}  // namespace magpie::server
