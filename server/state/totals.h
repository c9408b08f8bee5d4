#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "server/state/statistics.h"

namespace magpie::server {

/// Counters of all loops together; the members are those of LoopStatistics.
struct Totals {
  std::uint64_t commands_processed = 0;
  std::uint64_t connections_received = 0;
  std::uint64_t connections_closed = 0;
  std::uint64_t net_input_bytes = 0;
  std::uint64_t net_output_bytes = 0;
  std::uint64_t keyspace_hits = 0;
  std::uint64_t keyspace_misses = 0;
  std::uint64_t changes = 0;
  std::uint64_t total_error_replies = 0;
  std::uint64_t total_reads_processed = 0;
  std::uint64_t total_writes_processed = 0;
  std::uint64_t output_limit_disconnections = 0;
  std::uint64_t query_limit_disconnections = 0;
  std::uint64_t evicted_clients = 0;
  std::uint64_t expire_cycle_ns = 0;
};

struct CommandTotals {
  std::uint64_t calls = 0;
  std::uint64_t ns = 0;
  std::uint64_t rejected = 0;
  std::uint64_t failed = 0;
};

/// How many calls of a command, or other things, took how long.
struct HistogramTotals {
  std::array<std::uint64_t, DurationHistogram::kBuckets> counts{};

  std::uint64_t count() const;
  /// The smallest duration in nanoseconds that `percentile` (0 to 100) of them did not exceed.
  std::uint64_t percentile_ns(double percentile) const;
};
HistogramTotals totals_of(const engine::SharedDurationHistogram& histogram);

using LoopsView = std::span<const std::unique_ptr<LoopStatistics>>;

/// Since the start. Any thread; approximate while commands run.
Totals totals_since_start(LoopsView loops);

/// What the counters were at the last CONFIG RESETSTAT: a loop's counters are written by its thread only, so a reset
/// remembers them instead of clearing them. Any thread.
class StatisticsBaseline {
 public:
  void reset(LoopsView loops);
  Totals totals(LoopsView loops) const;
  CommandTotals command(LoopsView loops, std::size_t command_id) const;
  HistogramTotals histogram(LoopsView loops, std::size_t command_id) const;

 private:
  mutable std::mutex lock_;
  Totals totals_;
  std::vector<CommandTotals> commands_;
  std::vector<std::unique_ptr<HistogramTotals>> histograms_;
};

}  // namespace magpie::server
