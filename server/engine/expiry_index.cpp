#include "server/engine/expiry_index.h"

#include <algorithm>
#include <functional>

namespace magpie::engine {
namespace {

constexpr unsigned kGroupBits = 24;
constexpr std::uint64_t kGroupMask = (std::uint64_t{1} << kGroupBits) - 1;
constexpr std::int64_t kFirstMs = 1'577'836'800'000;  // 2020-01-01
constexpr std::int64_t kMostMs = (std::int64_t{1} << (64 - kGroupBits)) - 1;

std::uint64_t time_of(Instant due) {
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(due.ms, kFirstMs, kFirstMs + kMostMs) - kFirstMs);
}
Instant instant_of(std::uint64_t time) { return Instant{kFirstMs + static_cast<std::int64_t>(time)}; }

constexpr std::greater<> kLater{};

/// Room for some elements more, by an eighth of what there is: a vector by itself would double.
template <class Vector>
void grow(Vector& vector, std::size_t size) {
  if (size > vector.capacity()) vector.reserve(size + size / 8);
}

}  // namespace

void ExpiryIndex::push(Group group, std::uint64_t time) {
  grow(items_, items_.size() + 1);
  items_.push_back(time << kGroupBits | group);
  std::push_heap(items_.begin(), items_.end(), kLater);
  if (items_.size() > timed_groups_ + timed_groups_ / 4 + kSlack) rebuild();
}

/// Leaves out what is stale.
void ExpiryIndex::rebuild() {
  items_.clear();
  for (Group group = 0; group < earliest_.size(); ++group) {
    if (earliest_[group] != kNone) items_.push_back(earliest_[group] << kGroupBits | group);
  }
  std::make_heap(items_.begin(), items_.end(), kLater);
  if (items_.size() * 4 < items_.capacity()) items_.shrink_to_fit();
}

void ExpiryIndex::set(Group group, std::uint64_t time) {
  if (group >= earliest_.size()) {
    if (time == kNone) return;
    grow(earliest_, group + 1);
    earliest_.resize(group + 1, kNone);
  }
  timed_groups_ += static_cast<std::size_t>(time != kNone);
  timed_groups_ -= static_cast<std::size_t>(earliest_[group] != kNone);
  earliest_[group] = time;
  if (time != kNone) push(group, time);
}

void ExpiryIndex::note(Group group, Instant due) {
  const std::uint64_t time = engine::time_of(due);
  if (time < time_of(group)) set(group, time);
}

void ExpiryIndex::settle(Group group, std::optional<Instant> earliest) {
  const std::uint64_t time = earliest ? engine::time_of(*earliest) : kNone;
  if (time != time_of(group)) set(group, time);
}

void ExpiryIndex::moved(Group from, Group to) {
  if (time_of(from) < time_of(to)) set(to, time_of(from));
}

void ExpiryIndex::drop(Group group) {
  set(group, kNone);
  if (group < earliest_.size()) earliest_.resize(group);
  if (earliest_.size() * 4 < earliest_.capacity()) earliest_.shrink_to_fit();
}

std::optional<ExpiryIndex::Due> ExpiryIndex::earliest() {
  while (!items_.empty()) {
    const auto group = static_cast<Group>(items_.front() & kGroupMask);
    const std::uint64_t time = items_.front() >> kGroupBits;
    if (time == time_of(group)) return Due{group, instant_of(time)};
    std::pop_heap(items_.begin(), items_.end(), kLater);
    items_.pop_back();
  }
  return std::nullopt;
}

std::optional<ExpiryIndex::Group> ExpiryIndex::sample(std::uint64_t random) const {
  if (items_.empty()) return std::nullopt;
  return static_cast<Group>(items_[random % items_.size()] & kGroupMask);
}

void ExpiryIndex::count(Instant due, int change) {
  volatile_keys_ = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(volatile_keys_) + change);
  due_sum_ += static_cast<WideSum>(due.ms) * change;
  if (volatile_keys_ == 0) clear();
}

std::int64_t ExpiryIndex::mean_ttl(Instant now) const {
  if (volatile_keys_ == 0) return 0;
  const auto mean = static_cast<std::int64_t>(due_sum_ / static_cast<WideSum>(volatile_keys_));
  return std::max<std::int64_t>(mean - now.ms, 0);
}

void ExpiryIndex::clear() {
  items_.clear();
  items_.shrink_to_fit();
  earliest_.clear();
  earliest_.shrink_to_fit();
  timed_groups_ = 0;
  volatile_keys_ = 0;
  due_sum_ = 0;
}

}  // namespace magpie::engine
