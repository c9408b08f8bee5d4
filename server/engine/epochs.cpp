#include "server/engine/epochs.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace magpie::engine {

Epochs::Epochs() : next_ms_(std::numeric_limits<std::int64_t>::min()) {
  const std::lock_guard guard(lock_);
  begin(Instant{0}, true);
  next_ms_.store(std::numeric_limits<std::int64_t>::min(), std::memory_order_relaxed);
}

void Epochs::go_on(Instant now) {
  const std::lock_guard guard(lock_);
  if (!is_due(now)) return;  // another thread was first
  begin(now, true);
  next_ms_.store(now.ms + shortest_ms_.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

bool Epochs::turn_over(Instant now) {
  const std::lock_guard guard(lock_);
  return begin(now, false);
}

void Epochs::hold_clock(Instant now) {
  constexpr std::int64_t kOften = kHoldMs / 10;
  const std::int64_t next = now.ms + kHoldMs;
  if (next_ms_.load(std::memory_order_relaxed) < next - kOften) next_ms_.store(next, std::memory_order_relaxed);
}

void Epochs::check_clock(Instant now) {
  const std::int64_t longest = std::max(kHoldMs, shortest_ms_.load(std::memory_order_relaxed));
  if (next_ms_.load(std::memory_order_relaxed) > now.ms + longest) next_ms_.store(now.ms, std::memory_order_relaxed);
}

bool Epochs::begin(Instant now, bool by_clock) {
  if (free_ == 0) return false;
  const Label label{static_cast<std::uint8_t>(std::countr_zero(free_))};
  free_ &= ~bit(label);
  if (count_ > 0) {
    Epoch& last = epochs_[0];
    // With the clock at rest a long time may have passed unused, which belongs to no epoch.
    const std::int64_t longest = by_clock ? shortest_ms_.load(std::memory_order_relaxed) : now.ms - last.begin_ms;
    last.end_ms = std::clamp(now.ms, last.begin_ms, last.begin_ms + std::max<std::int64_t>(longest, 0));
  }
  std::copy_backward(epochs_.begin(), epochs_.begin() + static_cast<std::ptrdiff_t>(count_),
                     epochs_.begin() + static_cast<std::ptrdiff_t>(count_) + 1);
  epochs_[0] = {label, now.ms, now.ms};
  ++count_;
  if (count_ > kMostEpochs) merge(by_clock ? cheapest_pair(now.ms) : count_ - 2);
  publish();
  return true;
}

/// The pair of neighbours, by the younger's number, that are together shortest compared with how long ago they were:
/// lengths then grow with age. The current epoch stays.
std::size_t Epochs::cheapest_pair(std::int64_t now_ms) const {
  const auto cost = [&](std::size_t newer) {
    const auto length = static_cast<double>(epochs_[newer].end_ms - epochs_[newer + 1].begin_ms);
    return length / static_cast<double>(std::max<std::int64_t>(now_ms - epochs_[newer].end_ms, 1));
  };
  std::size_t cheapest = count_ - 2;
  for (std::size_t newer = count_ - 2; newer > 0; --newer) {
    if (cost(newer) < cost(cheapest)) cheapest = newer;
  }
  return cheapest;
}

/// The epoch before this one becomes part of it.
void Epochs::merge(std::size_t newer) {
  const Epoch older = epochs_[newer + 1];
  epochs_[newer].begin_ms = older.begin_ms;
  merged_into_[index_of(older.label)] = epochs_[newer].label;
  merged_ |= bit(older.label);
  std::copy(epochs_.begin() + static_cast<std::ptrdiff_t>(newer) + 2,
            epochs_.begin() + static_cast<std::ptrdiff_t>(count_),
            epochs_.begin() + static_cast<std::ptrdiff_t>(newer) + 1);
  --count_;
}

/// The label of the epoch that this one has become part of, or itself.
Label Epochs::target_of(Label label) const {
  while ((merged_ & bit(label)) != 0) label = merged_into_[index_of(label)];
  return label;
}

const Epochs::Epoch& Epochs::epoch_of(Label label) const {
  const Label target = target_of(label);
  const auto* const end = epochs_.begin() + count_;
  const auto* const found = std::find_if(epochs_.begin(), end, [&](const Epoch& one) { return one.label == target; });
  return found == end ? epochs_[count_ - 1] : *found;  // a free label, which no key should have, counts as the oldest
}

void Epochs::publish() {
  for (unsigned number = 0; number < kLabels; ++number) {
    const Epoch& epoch = epoch_of(Label{static_cast<std::uint8_t>(number)});
    ages_[number].store(static_cast<std::uint8_t>(&epoch - epochs_.data()), std::memory_order_relaxed);
  }
  merged_count_.store(static_cast<unsigned>(std::popcount(merged_)), std::memory_order_relaxed);
  current_.store(static_cast<std::uint8_t>(epochs_[0].label), std::memory_order_relaxed);
}

std::int64_t Epochs::idle_ms(Label label, Instant now) const {
  const std::lock_guard guard(lock_);
  const Epoch& epoch = epoch_of(label);
  // An epoch of the clock's shortest length counts from its beginning, a longer one from about its middle.
  const std::int64_t beyond = epoch.end_ms - epoch.begin_ms - shortest_ms_.load(std::memory_order_relaxed);
  return std::max<std::int64_t>(now.ms - epoch.begin_ms - std::max<std::int64_t>(beyond, 0) / 2, 0);
}

HeatMap Epochs::sweep_map() {
  const std::lock_guard guard(lock_);
  sweeping_ = merged_;
  HeatMap map;
  for (unsigned heat = 0; heat < kHeats; ++heat) {
    const Heat from{static_cast<std::uint8_t>(heat)};
    map[heat] = make_heat(class_of(from), target_of(label_of(from)));
  }
  return map;
}

void Epochs::swept() {
  const std::lock_guard guard(lock_);
  // Labels that were merged into one of these since then now stand for what that one stands for.
  for (unsigned number = 0; number < kLabels; ++number) {
    const Label label{static_cast<std::uint8_t>(number)};
    if ((merged_ & bit(label)) != 0) merged_into_[number] = target_of(label);
  }
  merged_ &= ~sweeping_;
  free_ |= sweeping_;
  sweeping_ = 0;
  publish();
}

}  // namespace magpie::engine
