#include "server/state/totals.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace magpie::server {
namespace {

constexpr std::array kMembers{
    std::pair{&Totals::commands_processed, &LoopStatistics::commands_processed},
    std::pair{&Totals::connections_received, &LoopStatistics::connections_received},
    std::pair{&Totals::connections_closed, &LoopStatistics::connections_closed},
    std::pair{&Totals::net_input_bytes, &LoopStatistics::net_input_bytes},
    std::pair{&Totals::net_output_bytes, &LoopStatistics::net_output_bytes},
    std::pair{&Totals::keyspace_hits, &LoopStatistics::keyspace_hits},
    std::pair{&Totals::keyspace_misses, &LoopStatistics::keyspace_misses},
    std::pair{&Totals::changes, &LoopStatistics::changes},
    std::pair{&Totals::total_error_replies, &LoopStatistics::total_error_replies},
    std::pair{&Totals::total_reads_processed, &LoopStatistics::total_reads_processed},
    std::pair{&Totals::total_writes_processed, &LoopStatistics::total_writes_processed},
    std::pair{&Totals::output_limit_disconnections, &LoopStatistics::output_limit_disconnections},
    std::pair{&Totals::query_limit_disconnections, &LoopStatistics::query_limit_disconnections},
    std::pair{&Totals::evicted_clients, &LoopStatistics::evicted_clients},
    std::pair{&Totals::expire_cycle_ns, &LoopStatistics::expire_cycle_ns},
};

CommandTotals command_since_start(LoopsView loops, std::size_t id) {
  CommandTotals sum;
  for (const auto& loop : loops) {
    const CommandCounters& counters = loop->commands[id];
    sum.calls += counters.calls;
    sum.ns += counters.ns;
    sum.rejected += counters.rejected;
    sum.failed += counters.failed;
  }
  return sum;
}

HistogramTotals histogram_since_start(LoopsView loops, std::size_t id) {
  HistogramTotals sum;
  for (const auto& loop : loops) {
    const DurationHistogram* histogram = loop->commands[id].histogram.load(std::memory_order_acquire);
    if (histogram == nullptr) continue;
    for (unsigned bucket = 0; bucket < DurationHistogram::kBuckets; ++bucket) {
      sum.counts[bucket] += histogram->count(bucket);
    }
  }
  return sum;
}

}  // namespace

std::uint64_t HistogramTotals::count() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts) sum += count;
  return sum;
}

std::uint64_t HistogramTotals::percentile_ns(double percentile) const {
  constexpr double kWhole = 100;
  const auto wanted = std::max(1.0, std::ceil(static_cast<double>(count()) * percentile / kWhole));
  std::uint64_t seen = 0;
  for (unsigned bucket = 0; bucket < DurationHistogram::kBuckets; ++bucket) {
    seen += counts[bucket];
    if (static_cast<double>(seen) >= wanted) return DurationHistogram::upper_bound_ns(bucket);
  }
  return 0;
}

HistogramTotals totals_of(const engine::SharedDurationHistogram& histogram) {
  HistogramTotals totals;
  for (unsigned bucket = 0; bucket < totals.counts.size(); ++bucket) totals.counts[bucket] = histogram.count(bucket);
  return totals;
}

Totals totals_since_start(LoopsView loops) {
  Totals sum;
  for (const auto& loop : loops) {
    for (const auto& [total, counter] : kMembers) sum.*total += (*loop).*counter;
  }
  return sum;
}

void StatisticsBaseline::reset(LoopsView loops) {
  const std::lock_guard guard(lock_);
  totals_ = totals_since_start(loops);
  const std::size_t commands = loops.empty() ? 0 : loops.front()->commands.size();
  commands_.resize(commands);
  histograms_.resize(commands);
  for (std::size_t id = 0; id < commands; ++id) {
    commands_[id] = command_since_start(loops, id);
    if (commands_[id].calls > 0) histograms_[id] = std::make_unique<HistogramTotals>(histogram_since_start(loops, id));
  }
}

Totals StatisticsBaseline::totals(LoopsView loops) const {
  const std::lock_guard guard(lock_);  // first: a reset in between must not be ahead of the sum
  Totals sum = totals_since_start(loops);
  for (const auto& [total, counter] : kMembers) sum.*total -= totals_.*total;
  return sum;
}

CommandTotals StatisticsBaseline::command(LoopsView loops, std::size_t command_id) const {
  const std::lock_guard guard(lock_);
  CommandTotals sum = command_since_start(loops, command_id);
  if (command_id >= commands_.size()) return sum;
  const CommandTotals& before = commands_[command_id];
  return {sum.calls - before.calls, sum.ns - before.ns, sum.rejected - before.rejected, sum.failed - before.failed};
}

HistogramTotals StatisticsBaseline::histogram(LoopsView loops, std::size_t command_id) const {
  const std::lock_guard guard(lock_);
  HistogramTotals sum = histogram_since_start(loops, command_id);
  if (command_id >= histograms_.size() || histograms_[command_id] == nullptr) return sum;
  for (unsigned bucket = 0; bucket < DurationHistogram::kBuckets; ++bucket) {
    sum.counts[bucket] -= histograms_[command_id]->counts[bucket];
  }
  return sum;
}

}  // namespace magpie::server
