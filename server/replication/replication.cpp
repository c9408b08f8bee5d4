#include "server/replication/replication.h"

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace magpie::server {
namespace {

constexpr unsigned kDrawnBits = 32;  // of a term's number

std::string hex(std::uint64_t number, std::size_t digits) {
  std::string text;
  for (; digits > 0; --digits) text += "0123456789abcdef"[number >> (4 * (digits - 1)) & 0xf];
  return text;
}

std::string draw_name() {
  std::random_device device;
  std::string name;
  constexpr int kWords = 5;
  for (int i = 0; i < kWords; ++i) name += hex(device(), 8);
  return name;
}

/// What Redis calls a replication id: it changes with each leadership.
std::string id_of(const std::string& name, Term term) {
  const std::uint64_t first = XXH3_64bits_withSeed(name.data(), name.size(), term.number);
  const std::uint64_t second = XXH3_64bits_withSeed(name.data(), name.size(), ~term.number);
  const std::uint64_t third = XXH3_64bits_withSeed(name.data(), name.size(), first ^ second);
  return hex(first, 16) + hex(second, 16) + hex(third, 8);
}

}  // namespace

Replication::Replication(engine::Keyspace& keyspace) : keyspace_(keyspace), name_(draw_name()) { draw_term(); }

Replication::~Replication() {
  const engine::Keyspace::Guard all = keyspace_.lock(engine::kAllStripes);
  keyspace_.set_sink(nullptr);
}

/// Without an arbiter two nodes may both begin a term behind the same one: a part of the number is drawn, so that their
/// logs do not pass for the same.
void Replication::draw_term() {
  const std::uint64_t count = (history_.last().number >> kDrawnBits) + 1;
  begin_term(Term{count << kDrawnBits | std::random_device{}()});
}

void Replication::begin_term(Term term) {
  const Lsn end = log_ == nullptr ? next_ : log_->end();
  history_.cut(end);  // of terms whose leaders have told of them, but not what they wrote
  history_.begin(term, end);
  term_.store(term.number, std::memory_order_relaxed);
}

void Replication::make_log() {
  log_ = std::make_shared<EffectLog>(options_.log_capacity, next_, options_.log_segment);
  log_->set_most_group(options_.most_group);
  if (!follows()) keyspace_.set_sink(log_.get());
}

void Replication::configure(const Options& options) {
  const engine::Keyspace::Guard all = keyspace_.lock(engine::kAllStripes);
  const std::lock_guard guard(lock_);
  const bool before = options_.always;
  if (options.shard && !options_.shard) {
    history_ = {};
    sending_.store(true, std::memory_order_relaxed);  // its machine is to know of each write
  }
  options_ = options;
  if (log_ != nullptr) {
    log_->set_capacity(options.log_capacity);
    log_->set_most_group(options.most_group);
  }
  if (options.always && log_ == nullptr && !follows()) make_log();
  if (before && !options.always && followers_.empty() && !follows()) drop();
}

void Replication::drop() {
  if (log_ == nullptr) return;
  keyspace_.set_sink(nullptr);
  // What happens from now on is missing: a place of its own, so that nobody takes one log for the other's end.
  next_ = log_->end() + 1;
  log_.reset();
}

std::optional<Replication::Source> Replication::source() const {
  const std::lock_guard guard(lock_);
  return source_;
}

void Replication::follow(Source source) {
  const std::lock_guard guard(lock_);
  ++tenure_;
  source_ = std::move(source);
  keeps_data_ = false;
  keyspace_.set_follows(true);
}

void Replication::lead() {
  const std::lock_guard guard(lock_);
  source_.reset();
  keeps_data_ = false;
  if (!follows()) return;
  ++tenure_;
  keyspace_.set_follows(false);
  leader_.incomplete = false;
  draw_term();
  if (log_ != nullptr) {
    keyspace_.set_sink(log_.get());
  } else if (options_.always) {
    make_log();
  }
}

void Replication::lead(Term term) {
  const std::lock_guard guard(lock_);
  ++tenure_;
  source_.reset();
  if (leader_.incomplete.exchange(false)) {
    keyspace_.replay(engine::Flush{}, Instant{leader_time_ms()});
    forget();
  }
  keyspace_.set_follows(false);
  begin_term(term);
  if (log_ == nullptr) make_log();
  keyspace_.set_sink(log_.get());
  constexpr std::array<char, kRecordHeader> kBarrier{};  // a record of no effects
  log_->append({kBarrier.data(), kBarrier.size()});
}

void Replication::stop_recording() {
  const engine::Keyspace::Guard all = keyspace_.lock(engine::kAllStripes);
  const std::lock_guard guard(lock_);
  if (follows()) keyspace_.set_sink(nullptr);
}

std::shared_ptr<EffectLog> Replication::log() const {
  const std::lock_guard guard(lock_);
  return log_;
}

void Replication::keep_log() {
  const engine::Keyspace::Guard all = keyspace_.lock(engine::kAllStripes);
  const std::lock_guard guard(lock_);
  if (log_ == nullptr) make_log();
}

void Replication::drop_log() {
  const engine::Keyspace::Guard all = keyspace_.lock(engine::kAllStripes);
  const std::lock_guard guard(lock_);
  if (!options_.always && !follows()) drop();
}

void Replication::forget_log(Tenure tenure) {
  const std::lock_guard guard(lock_);
  if (tenure.holds()) forget();
}

void Replication::forget() {
  if (log_ != nullptr) next_ = log_->end() + 1;
  log_.reset();
  name_ = draw_name();
  history_ = {};
  if (!options_.shard) draw_term();
}

void Replication::adopt_log(Tenure tenure, std::string name, cluster::TermHistory history, Lsn at) {
  const std::lock_guard guard(lock_);
  if (!tenure.holds()) return;
  name_ = std::move(name);
  history_ = std::move(history);
  next_ = at;
  make_log();
}

void Replication::adopt_history(Tenure tenure, cluster::TermHistory history) {
  const std::lock_guard guard(lock_);
  if (!tenure.holds()) return;
  history_ = std::move(history);
}

void Replication::cut_log(Tenure tenure, cluster::TermHistory history, Lsn at) {
  const std::lock_guard guard(lock_);
  if (!tenure.holds()) return;
  log_->cut(at);
  history_ = std::move(history);
}

Lsn Replication::log_end() const {
  const std::lock_guard guard(lock_);
  return log_ == nullptr ? next_ : log_->end();
}

Replication::Place Replication::place() const {
  const std::lock_guard guard(lock_);
  if (log_ == nullptr) return {};
  return {name_, history_, log_->end()};
}

cluster::LogPosition Replication::last() const {
  const std::lock_guard guard(lock_);
  const Lsn end = log_ == nullptr ? Lsn{} : log_->end();
  if (end == Lsn{}) return {};
  return {history_.term_at(Lsn{end.bytes - 1}), end};
}

bool Replication::has(Term term, Lsn lsn) const {
  if (lsn == Lsn{}) return true;
  const Span span = term_at(Lsn{lsn.bytes - 1});
  const std::lock_guard guard(lock_);
  return log_ != nullptr && log_->end() >= lsn && span.term == term;
}

Replication::Span Replication::term_at(Lsn lsn) const {
  const std::lock_guard guard(lock_);
  Span span;
  for (const auto& begin : history_.begins()) {
    if (begin.at > lsn) {
      span.end = begin.at;
      break;
    }
    span.term = begin.term;
  }
  return span;
}

Replication::Position Replication::position() const {
  const std::lock_guard guard(lock_);
  Position position;
  position.end = position.begin = next_;
  position.id = id_of(name_, history_.last());
  const auto begins = history_.begins();
  if (begins.size() > 1) {
    position.previous_id = id_of(name_, begins[begins.size() - 2].term);
    position.previous_end = begins.back().at;
  }
  if (log_ == nullptr) return position;
  position.begin = log_->begin();
  position.end = log_->end();
  position.memory = log_->memory();
  position.active = true;
  return position;
}

void Replication::add_follower(std::shared_ptr<FollowerStatus> follower) {
  const std::lock_guard guard(lock_);
  followers_.push_back(std::move(follower));
  sending_.store(true, std::memory_order_relaxed);
}

void Replication::remove_follower(const FollowerStatus& follower) {
  const std::lock_guard guard(lock_);
  std::erase_if(followers_, [&](const auto& one) { return one.get() == &follower; });
  sending_.store(!followers_.empty() || options_.shard, std::memory_order_relaxed);
}

std::vector<std::shared_ptr<FollowerStatus>> Replication::followers() const {
  const std::lock_guard guard(lock_);
  return followers_;
}

std::int64_t Replication::confirmed_by(Lsn lsn) const {
  const std::lock_guard guard(lock_);
  return std::ranges::count_if(followers_, [&](const auto& one) {
    return one->phase.load() == FollowerStatus::Phase::Online && Lsn{one->confirmed.load()} >= lsn;
  });
}

std::int64_t Replication::good_followers(std::int64_t most_lag_s, std::int64_t now_ms) const {
  constexpr std::int64_t kSecond = 1000;
  const std::lock_guard guard(lock_);
  return std::ranges::count_if(followers_, [&](const auto& one) {
    return one->phase.load() == FollowerStatus::Phase::Online && now_ms - one->heard_ms.load() <= most_lag_s * kSecond;
  });
}

void Replication::note_leader_time(std::int64_t ms) {
  std::int64_t before = leader_time_ms_.load(std::memory_order_relaxed);
  while (before < ms && !leader_time_ms_.compare_exchange_weak(before, ms, std::memory_order_relaxed)) {
  }
}

}  // namespace magpie::server
