// The sections of INFO about single commands: Commandstats, Errorstats, Latencystats.

#include <cstdio>

#include "server/commands/command_table.h"
#include "server/commands/info.h"

namespace magpie::commands {
namespace {

constexpr double kUsNs = 1000;

std::string fixed(double value, int digits) {
  char number[64];
  std::snprintf(number, sizeof number, "%.*f", digits, value);
  return number;
}

}  // namespace

void info_commandstats(InfoText& text, CommandContext& context) {
  text.section("Commandstats");
  for (const Command* command : all_commands()) {
    const server::CommandTotals totals = context.server.baseline.command(context.server.loops, command->id);
    if (totals.calls == 0 && totals.rejected == 0 && totals.failed == 0) continue;
    const double us = static_cast<double>(totals.ns) / kUsNs;
    text.field("cmdstat_" + command->full_name,
               "calls=" + std::to_string(totals.calls) + ",usec=" + fixed(us, 0) +
                   ",usec_per_call=" + fixed(totals.calls == 0 ? 0 : us / static_cast<double>(totals.calls), 2) +
                   ",rejected_calls=" + std::to_string(totals.rejected) +
                   ",failed_calls=" + std::to_string(totals.failed));
  }
}

void info_errorstats(InfoText& text, CommandContext& context) {
  text.section("Errorstats");
  for (const auto& [prefix, count] : context.server.errors.snapshot()) {
    text.field("errorstat_" + prefix, "count=" + std::to_string(count));
  }
}

void info_latencystats(InfoText& text, CommandContext& context) {
  text.section("Latencystats");
  if (!context.settings.latency_tracking) return;
  for (const Command* command : all_commands()) {
    if (context.server.baseline.command(context.server.loops, command->id).calls == 0) continue;
    text.percentiles("latency_percentiles_usec_" + command->full_name,
                     context.server.baseline.histogram(context.server.loops, command->id),
                     context.settings.latency_tracking_info_percentiles, kUsNs);
  }
}

}  // namespace magpie::commands
