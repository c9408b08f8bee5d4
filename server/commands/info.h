#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/commands/context.h"

namespace magpie::commands {

/// The text of INFO, section by section.
class InfoText {
 public:
  void section(std::string_view title);
  void field(std::string_view name, std::string_view value);
  void field(std::string_view name, std::uint64_t value);
  void field(std::string_view name, std::int64_t value);
  void field(std::string_view name, int value) { field(name, static_cast<std::int64_t>(value)); }
  /// With this many digits behind the point, then `unit`.
  void field(std::string_view name, double value, int digits, std::string_view unit = {});
  /// name:bytes and name_human:1.50K
  void bytes(std::string_view name, std::int64_t bytes);
  /// name:p50=1.003,p99=2.015, durations in a unit of so many nanoseconds; with `longest_ns` also ",max=2.010".
  void percentiles(std::string_view name, const server::HistogramTotals& histogram, std::span<const double> percentiles,
                   double unit_ns, std::optional<std::uint64_t> longest_ns = {});
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// 512B, 1.50K, 3.00M, 2.25G ...
std::string human_bytes(std::int64_t bytes);

/// Memory as INFO and MEMORY STATS show it, in bytes.
struct MemoryReport {
  std::int64_t data = 0;     // what maxmemory is compared with
  std::int64_t clients = 0;  // buffers and state of connections
  std::int64_t used = 0;     // both
  std::int64_t peak = 0;
  std::int64_t startup = 0;  // data of the empty keyspace
  std::int64_t process = 0;  // memory of the process's own at the start: stacks, tables of commands, the allocator's
  std::int64_t tables = 0;    // of the keyspace
  std::int64_t overhead = 0;  // all but keys and values
  std::int64_t resident = 0;  // of the process, as the kernel counts
  std::int64_t total_system = 0;
  engine::Keyspace::KeyCost key_cost;

  std::int64_t not_evictable() const { return used - data; }
  std::int64_t dataset() const { return used > overhead ? used - overhead : 0; }
  /// Of data, with its key and value.
  std::int64_t bytes_per_key() const;
  double dataset_percent() const;
  double peak_percent() const;
  double fragmentation() const;
  std::int64_t fragmented() const { return resident - used - process; }
};
/// No lock may be held, unless in a transaction.
MemoryReport memory_report(CommandContext& context);

/// All stripes, unless they are held already.
engine::Keyspace::Guard lock_all(CommandContext& context);

// The sections, each for the text that it appends to.
void info_server(InfoText& text, CommandContext& context);
void info_clients(InfoText& text, CommandContext& context);
void info_memory(InfoText& text, CommandContext& context);
void info_persistence(InfoText& text, CommandContext& context);
void info_stats(InfoText& text, CommandContext& context);
void info_replication(InfoText& text, CommandContext& context);
void info_cpu(InfoText& text, CommandContext& context);
void info_modules(InfoText& text, CommandContext& context);
void info_commandstats(InfoText& text, CommandContext& context);
void info_errorstats(InfoText& text, CommandContext& context);
void info_latencystats(InfoText& text, CommandContext& context);
void info_cluster(InfoText& text, CommandContext& context);
void info_keyspace(InfoText& text, CommandContext& context);

}  // namespace magpie::commands
