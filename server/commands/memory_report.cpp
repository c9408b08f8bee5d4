#include <algorithm>

#include "server/commands/info.h"
#include "server/engine/entry_block.h"
#include "server/engine/memory.h"
#include "server/state/process.h"

namespace magpie::commands {
namespace {

constexpr double kWhole = 100;

/// A value that replies refer to counts once: here if nobody else has it.
std::int64_t client_bytes(CommandContext& context) {
  std::uint64_t sum = engine::EntryBlock::memory_of_replies();
  for (const auto& client : context.server.clients.all()) {
    sum += client->own_memory();
  }
  return static_cast<std::int64_t>(sum);
}

double percent(std::int64_t part, std::int64_t whole) {
  return whole <= 0 ? 0 : static_cast<double>(part) * kWhole / static_cast<double>(whole);
}

}  // namespace

double MemoryReport::dataset_percent() const { return std::min(kWhole, percent(dataset(), used - startup)); }
std::int64_t MemoryReport::bytes_per_key() const {
  return key_cost.keys == 0 ? 0 : (data - startup) / static_cast<std::int64_t>(key_cost.keys);
}
double MemoryReport::peak_percent() const { return percent(used, peak); }
double MemoryReport::fragmentation() const {
  const std::int64_t known = used + process;
  return known <= 0 ? 0 : static_cast<double>(resident) / static_cast<double>(known);
}

MemoryReport memory_report(CommandContext& context) {
  MemoryReport report;
  report.data = engine::used_memory();
  report.clients = client_bytes(context);
  report.startup = context.server.startup_data;
  report.process = context.server.startup_memory - context.server.startup_data;
  report.used = report.data + report.clients;
  report.peak = std::max(engine::peak_memory(), report.used);
  // The object itself is in what was used at the start already.
  report.tables = static_cast<std::int64_t>(context.server.keyspace.overhead_memory(context.in_transaction) -
                                            sizeof(engine::Keyspace));
  report.key_cost = context.server.keyspace.key_cost(context.in_transaction);
  report.overhead = report.startup + report.clients + report.tables;
  report.resident = server::resident_memory();
  report.total_system = server::system_memory();
  return report;
}

}  // namespace magpie::commands
