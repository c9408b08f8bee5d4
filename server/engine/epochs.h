#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

#include "server/engine/heat.h"
#include "server/engine/instant.h"

namespace magpie::engine {

/// Coarse time for the heat of keys. Each epoch has one of 32 labels; a key carries the label of its last use. While
/// keys are evicted, epochs are begun by turnover and the two oldest are merged when there are too many; else they are
/// begun by the clock and merged so that their lengths grow with their age. A label that was merged into another is
/// used again once all keys have been gone through (sweep_map(), swept()). Any thread.
class Epochs {
 public:
  static constexpr unsigned kOldest = 28;  // the highest age
  static constexpr std::int64_t kShortestMs = 100;  // of an epoch of the clock

  Epochs();

  Label current() const { return Label{current_.load(std::memory_order_relaxed)}; }
  /// In epochs, 0 ..= kOldest.
  unsigned age(Label label) const { return ages_[index_of(label)].load(std::memory_order_relaxed); }
  /// Milliseconds since a use in the epoch of this label, about: its length is how far that may be off.
  std::int64_t idle_ms(Label label, Instant now) const;

  /// Whether the clock may begin a new epoch: cheap enough for every access. Then go_on().
  bool is_due(Instant now) const { return now.ms >= next_ms_.load(std::memory_order_relaxed); }
  void go_on(Instant now);
  /// So much has been evicted that an epoch has passed. False if there is no free label yet, which a sweep brings: then
  /// the epoch lasts longer.
  bool turn_over(Instant now);
  /// From time to time, for a clock that was set back.
  void check_clock(Instant now);
  /// Keys are being evicted: the clock begins no epochs for a while.
  void hold_clock(Instant now);
  /// There is nothing left to evict: the clock goes on at once.
  void release_clock(Instant now) { next_ms_.store(now.ms, std::memory_order_relaxed); }
  /// How long the clock's epochs are at least; longer where a sweep takes long. At least kShortestMs.
  void set_shortest(std::int64_t ms) { shortest_ms_.store(ms, std::memory_order_relaxed); }

  /// Whether labels wait for a sweep.
  bool wants_sweep() const { return merged_count_.load(std::memory_order_relaxed) > 0; }
  /// Begins a sweep: what to make of every heat that is met.
  HeatMap sweep_map();
  /// Every key has been met since sweep_map().
  void swept();

 private:
  static constexpr std::size_t kMostEpochs = kOldest + 1;
  static constexpr std::int64_t kHoldMs = 10'000;

  struct Epoch {
    Label label;
    std::int64_t begin_ms;
    std::int64_t end_ms;
  };
  using Labels = std::uint32_t;  // a set of labels, one bit each
  static constexpr Labels bit(Label label) { return Labels{1} << index_of(label); }

  bool begin(Instant now, bool by_clock);
  std::size_t cheapest_pair(std::int64_t now_ms) const;
  void merge(std::size_t newer);
  void publish();
  const Epoch& epoch_of(Label label) const;
  Label target_of(Label label) const;

  std::atomic<std::uint8_t> current_{0};
  std::atomic<std::int64_t> next_ms_;
  std::array<std::atomic<std::uint8_t>, kLabels> ages_{};
  std::atomic<std::int64_t> shortest_ms_{kShortestMs};
  std::atomic<unsigned> merged_count_{0};

  mutable std::mutex lock_;  // guards what follows
  std::array<Epoch, kMostEpochs + 1> epochs_{};  // the latest first
  std::size_t count_ = 0;
  std::array<Label, kLabels> merged_into_{};  // of labels in merged_
  Labels free_ = ~Labels{0};
  Labels merged_ = 0;
  Labels sweeping_ = 0;  // those of merged_ that the sweep in progress frees
};

}  // namespace magpie::engine
