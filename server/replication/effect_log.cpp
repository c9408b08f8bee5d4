#include "server/replication/effect_log.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "protocol/check.h"
#include "server/engine/effect_codec.h"
#include "server/replication/record.h"

namespace magpie::server {
namespace {

constexpr std::size_t kKeptForGroups = std::size_t{64} << 10;  // of memory, by each thread

/// The group of this thread.
struct OpenGroup {
  unsigned depth = 0;
  EffectLog* log = nullptr;
  ByteBuffer effects;
  engine::StripeMask stripes = 0;
};
thread_local OpenGroup open_group;
thread_local std::uint64_t recorded = 0;  // by this thread, up to there

/// The next records are written to memory that was last used long ago, and the next lock waits for these writes.
void fetch_ahead(const char* end) {
  constexpr std::size_t kAhead = 512;
  constexpr std::size_t kLine = 64;
  __builtin_prefetch(end + kAhead, 1);
  __builtin_prefetch(end + kAhead + kLine, 1);
}

/// Memory of segments that are gone, for the next ones: to touch new pages costs more than to write records into them.
class SpareMemory {
 public:
  static SpareMemory& instance() {
    static SpareMemory* const spare = new SpareMemory;  // segments may go until the very end of the process
    return *spare;
  }
  char* take() {
    const std::lock_guard guard(lock_);
    return count_ == 0 ? nullptr : blocks_[--count_];
  }
  /// False if there is enough.
  bool give(char* block) {
    const std::lock_guard guard(lock_);
    if (count_ == blocks_.size()) return false;
    blocks_[count_++] = block;
    return true;
  }

 private:
  std::mutex lock_;
  std::array<char*, 2> blocks_{};
  std::size_t count_ = 0;
};

}  // namespace

LogSegment::LogSegment(Lsn first, std::size_t capacity)
    : first_(first), capacity_(capacity), bytes_(capacity == kUsual ? SpareMemory::instance().take() : nullptr) {
  if (bytes_ == nullptr) bytes_ = new char[capacity_];
}

LogSegment::~LogSegment() {
  if (capacity_ != kUsual || !SpareMemory::instance().give(bytes_)) delete[] bytes_;
}

EffectLog::EffectLog(std::size_t capacity, Lsn begin, std::size_t segment)
    : segment_(segment), capacity_(capacity), end_(begin.bytes) {
  segments_.push_back(std::make_shared<LogSegment>(begin, segment_));
  held_ = segment_;
}

/// Room at the end of the last segment, or of a new one.
char* EffectLog::reserve(std::size_t most) {
  const LogSegment* last = segments_.back().get();
  if (last->capacity_ - last->size() < most) [[unlikely]] {
    drop_oldest();  // before, so that its memory serves again
    const std::size_t size = std::max(segment_, most);
    segments_.push_back(std::make_shared<LogSegment>(last->end(), size));
    held_ += size;
    last = segments_.back().get();
  }
  return last->bytes_ + last->size();
}

/// As long as what is left has the capacity.
void EffectLog::drop_oldest() {
  constexpr std::size_t kInSync = std::size_t{64} << 20;
  const Lsn end = segments_.back()->end();
  const std::size_t capacity = syncs_ > 0 ? std::max(capacity_, kInSync) : capacity_;
  while (segments_.size() > 1 && end - segments_[1]->first() >= capacity) {
    held_ -= segments_.front()->capacity_;
    segments_.pop_front();
  }
}

void EffectLog::commit(std::size_t size) {
  LogSegment& last = *segments_.back();
  last.size_.store(last.size() + size, std::memory_order_release);
  end_.store(last.end().bytes, std::memory_order_release);
}

void EffectLog::on_effect(const engine::Effect& effect) {
  const std::size_t most = engine::encoded_bound(effect);
  if (open_group.log == this) {
    ByteBuffer& effects = open_group.effects;
    char* const to = effects.reserve(most);
    effects.commit(static_cast<std::size_t>(engine::encode(effect, to) - to));
    open_group.stripes |= engine::stripes_of(effect);
    return;
  }
  const std::lock_guard guard(lock_);
  char* const record = reserve(kRecordHeader + most);
  char* const body = record + kRecordHeader;
  const auto size = static_cast<std::size_t>(engine::encode(effect, body) - body);
  put_record_header(record, size);
  commit(kRecordHeader + size);
  recorded = end_.load(std::memory_order_relaxed);
  note_stripes(engine::stripes_of(effect));
  fetch_ahead(body + size);
}

/// Of what is recorded just now.
void EffectLog::note_stripes(engine::StripeMask stripes) {
  const std::uint64_t end = end_.load(std::memory_order_relaxed);
  for (; stripes != 0; stripes &= stripes - 1) {
    last_in_[static_cast<std::size_t>(std::countr_zero(stripes))].store(end, std::memory_order_release);
  }
}

Lsn EffectLog::last_in(engine::StripeMask stripes) const {
  if (stripes == engine::kAllStripes) return end();
  std::uint64_t last = 0;
  for (; stripes != 0; stripes &= stripes - 1) {
    last =
        std::max(last, last_in_[static_cast<std::size_t>(std::countr_zero(stripes))].load(std::memory_order_acquire));
  }
  return Lsn{last};
}

void EffectLog::append_record(ByteView effects, engine::StripeMask stripes) {
  const std::lock_guard guard(lock_);
  if (effects.size() > most_group_) [[unlikely]] {
    break_off();
    return note_stripes(stripes);
  }
  char* const record = reserve(kRecordHeader + effects.size());
  put_record_header(record, effects.size());
  put_bytes(record + kRecordHeader, effects);
  commit(kRecordHeader + effects.size());
  recorded = end_.load(std::memory_order_relaxed);
  note_stripes(stripes);
}

/// What happens now cannot be told: the log begins anew behind a place that it does not have.
void EffectLog::break_off() {
  const Lsn begin = segments_.back()->end() + 1;
  segments_.clear();
  segments_.push_back(std::make_shared<LogSegment>(begin, segment_));
  held_ = segment_;
  end_.store(begin.bytes, std::memory_order_release);
  recorded = begin.bytes;
}

void EffectLog::cut(Lsn at) {
  const std::lock_guard guard(lock_);
  while (segments_.size() > 1 && segments_.back()->first() >= at) {
    held_ -= segments_.back()->capacity_;
    segments_.pop_back();
  }
  // A copy, for others may read the one that goes on.
  const std::shared_ptr<LogSegment> last = segments_.back();
  CHECK(last->first() <= at && at <= last->end());
  auto shorter = std::make_shared<LogSegment>(last->first(), last->capacity_);
  const std::size_t kept = at - last->first();
  put_bytes(shorter->bytes_, {last->bytes_, kept});
  shorter->size_.store(kept, std::memory_order_release);
  segments_.back() = std::move(shorter);
  end_.store(at.bytes, std::memory_order_release);
  for (auto& reached : last_in_) reached.store(std::min(reached.load(std::memory_order_relaxed), at.bytes));
}

void EffectLog::begin_sync() {
  const std::lock_guard guard(lock_);
  ++syncs_;
}

void EffectLog::end_sync() {
  const std::lock_guard guard(lock_);
  --syncs_;
  drop_oldest();
}

void EffectLog::set_most_group(std::size_t bytes) {
  const std::lock_guard guard(lock_);
  most_group_ = std::min(bytes, kMostRecord);
}

Lsn EffectLog::take_recorded() { return Lsn{std::exchange(recorded, 0)}; }

void EffectLog::append(ByteView bytes) {
  const std::lock_guard guard(lock_);
  const char* const end = put_bytes(reserve(bytes.size()), bytes);
  commit(bytes.size());
  fetch_ahead(end);
}

Lsn EffectLog::begin() const {
  const std::lock_guard guard(lock_);
  return segments_.front()->first();
}

std::shared_ptr<const LogSegment> EffectLog::segment_at(Lsn lsn) const {
  const std::lock_guard guard(lock_);
  if (lsn < segments_.front()->first() || lsn >= segments_.back()->end()) return nullptr;
  const auto after = std::ranges::upper_bound(segments_, lsn, {}, [](const auto& one) { return one->first(); });
  return *std::prev(after);
}

void EffectLog::set_capacity(std::size_t capacity) {
  const std::lock_guard guard(lock_);
  capacity_ = capacity;
  drop_oldest();
}

std::size_t EffectLog::memory() const {
  const std::lock_guard guard(lock_);
  return held_;
}

void EffectLog::begin_group() {
  if (open_group.depth++ == 0) open_group.log = this;
}

void EffectLog::end_group() {
  if (--open_group.depth > 0) return;
  open_group.log = nullptr;
  ByteBuffer& effects = open_group.effects;
  if (!effects.empty()) append_record(effects.view(), open_group.stripes);
  open_group.stripes = 0;
  if (effects.capacity() > kKeptForGroups) {
    effects.release();
  } else {
    effects.truncate(0);
  }
}

}  // namespace magpie::server
