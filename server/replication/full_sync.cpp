#include "server/replication/full_sync.h"

#include <algorithm>
#include <string>
#include <utility>

#include "protocol/check.h"
#include "server/replication/record.h"

namespace magpie::server {
namespace {

constexpr std::size_t kChunk = std::size_t{8} << 10;  // bytes that are read under one lock
constexpr std::size_t kMostBuckets = 64;  // that are looked at under one lock
// A log that has run ahead so far comes before the next chunk.
constexpr std::uint64_t kMostBehind = std::uint64_t{1} << 20;

void append_effect(std::string& to, const engine::Effect& effect) {
  const std::size_t before = to.size();
  to.resize(before + engine::encoded_bound(effect));
  to.resize(static_cast<std::size_t>(engine::encode(effect, to.data() + before) - to.data()));
}

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
    } else if (chunk_is_read_) {
      send_chunk(records);
    } else if (large_.has_part()) {
      large_.send_part(records);
    } else if (!large_.empty()) {
      target_ = large_.read_part(keyspace_, *log_);
    } else if (log_->end() - sent_ > kMostBehind) {
      target_ = log_->end();
    } else if (next_.stripe < engine::kStripes) {
      read_chunk();
    } else {
      return State::Done;
    }
  }
  return State::More;
}

void FullSync::read_chunk() {
  const engine::StripeIndex stripe = engine::stripe_at(next_.stripe);
  const engine::Keyspace::Guard guard = keyspace_.lock(engine::mask_of(stripe));
  for (std::size_t buckets = 0; buckets < kMostBuckets && chunk_.size() < kChunk && left_out_.empty(); ++buckets) {
    next_.position =
        keyspace_.read_part(stripe, next_.position, [&](Db db, const engine::Entry& entry) { read_entry(db, entry); });
    if (next_.position != 0) continue;
    ++next_.stripe;
    break;
  }
  chunk_is_read_ = true;
  target_ = log_->end();  // under the lock: all that changed this stripe before is in the log up to there
}

void FullSync::read_entry(Db db, const engine::Entry& entry) {
  ++keys_;
  if (LargeValues::is_large(entry)) {
    left_out_.add(db, entry);
  } else {
    append_record(chunk_, engine::Put(db, engine::Key{entry.key()}, entry.value(), entry.expiry()));
  }
}

void FullSync::send_chunk(ByteBuffer& records) {
  records.append(chunk_.view());
  chunk_.truncate(0);
  chunk_is_read_ = false;
  cursor_ = next_;
  large_ = std::exchange(left_out_, {});
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
    auto effect = decoder_.take(rest);
    CHECK(effect.has_value());  // it is our own log
    const LargeValues::Sent sent = sent_of(*effect);
    if (all && sent != LargeValues::Sent::All) kept.assign(record.data() + kRecordHeader, before.data());
    all = all && sent == LargeValues::Sent::All;
    if (all || sent == LargeValues::Sent::None) continue;
    if (sent == LargeValues::Sent::All) {
      kept += before.substr(0, before.size() - rest.size());
    } else {
      append_effect(kept, *effect);
    }
  }
  if (all) return true;
  if (kept.empty()) return false;
  char* const to = records.reserve(kRecordHeader + kept.size());
  put_record_header(to, kept.size());
  put_bytes(to + kRecordHeader, kept);
  records.commit(kRecordHeader + kept.size());
  return false;
}

/// How much of it is of what has been sent.
LargeValues::Sent FullSync::sent_of(engine::Effect& effect) {
  return covers(effect) ? large_.cut(effect) : LargeValues::Sent::None;
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
