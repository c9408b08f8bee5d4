#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "protocol/bytes.h"
#include "server/engine/duration_histogram.h"
#include "server/state/shared_value.h"

namespace magpie::server {

using Counter = SharedValue<std::uint64_t>;

/// Durations, written by one thread.
class DurationHistogram : public engine::DurationScale {
 public:
  void add(std::uint64_t ns, std::uint64_t times = 1) { counts_[bucket_of(ns)].add(times); }
  std::uint64_t count(unsigned bucket) const { return counts_[bucket]; }
  void reset() {
    for (auto& count : counts_) count = 0;
  }

 private:
  std::array<Counter, kBuckets> counts_;
};

/// Counters of one command on one loop.
struct CommandCounters {
  Counter calls;
  Counter ns;
  Counter rejected;
  Counter failed;
  std::atomic<DurationHistogram*> histogram{nullptr};  // made at the first call
  ~CommandCounters() { delete histogram.load(); }
};

/// Counters of one loop: written by its thread, read by any.
struct LoopStatistics {
  std::atomic<bool> executing{false};  // a command, or what a leader sent: it may take long
  Counter commands_processed;
  Counter connections_received;
  Counter connections_closed;
  Counter net_input_bytes;
  Counter net_output_bytes;
  Counter keyspace_hits;
  Counter keyspace_misses;
  Counter changes;  // of keys, by commands
  Counter total_error_replies;
  Counter total_reads_processed;
  Counter total_writes_processed;
  Counter output_limit_disconnections;
  Counter query_limit_disconnections;
  Counter evicted_clients;
  Counter expire_cycle_ns;  // that background expiry took
  std::vector<CommandCounters> commands;  // by command id

  explicit LoopStatistics(std::size_t command_count) : commands(command_count) {}
  /// Calls of one command, and the time of all of them.
  struct Calls {
    std::uint64_t count;  // at least 1
    std::uint64_t failed;
    std::uint64_t ns;
  };
  void record(std::size_t command_id, const Calls& calls, bool histogram) {
    CommandCounters& counters = commands[command_id];
    commands_processed.add(calls.count);
    counters.calls.add(calls.count);
    counters.ns.add(calls.ns);
    if (calls.failed > 0) counters.failed.add(calls.failed);
    if (histogram) histogram_of(counters).add(calls.ns / calls.count, calls.count);
  }

 private:
  static DurationHistogram& histogram_of(CommandCounters& counters) {
    DurationHistogram* histogram = counters.histogram.load(std::memory_order_relaxed);
    if (histogram == nullptr) {
      histogram = new DurationHistogram;
      counters.histogram.store(histogram, std::memory_order_release);
    }
    return *histogram;
  }
};

/// How often which error was answered (INFO errorstats), by the error's first word. Any thread; errors are rare.
class ErrorStatistics {
 public:
  void count(ByteView error_text);
  std::map<std::string, std::uint64_t> snapshot() const;
  void reset();

 private:
  static constexpr std::size_t kMostPrefixes = 128;  // as Redis: beyond it nothing new is recorded
  mutable std::mutex lock_;
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

}  // namespace magpie::server
