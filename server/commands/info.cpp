#include "server/commands/info.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "server/commands/command_table.h"

namespace magpie::commands {

void InfoText::section(std::string_view title) {
  if (!text_.empty()) text_ += "\r\n";
  text_ += "# ";
  text_ += title;
  text_ += "\r\n";
}

void InfoText::field(std::string_view name, std::string_view value) {
  text_ += name;
  text_ += ':';
  text_ += value;
  text_ += "\r\n";
}

void InfoText::field(std::string_view name, std::uint64_t value) { field(name, std::to_string(value)); }
void InfoText::field(std::string_view name, std::int64_t value) { field(name, std::to_string(value)); }

void InfoText::field(std::string_view name, double value, int digits, std::string_view unit) {
  char number[64];
  std::snprintf(number, sizeof number, "%.*f", digits, value);
  field(name, number + std::string(unit));
}

void InfoText::bytes(std::string_view name, std::int64_t bytes) {
  field(name, bytes);
  field(std::string(name) + "_human", human_bytes(bytes));
}

void InfoText::percentiles(std::string_view name, const server::HistogramTotals& histogram,
                           std::span<const double> percentiles, double unit_ns,
                           std::optional<std::uint64_t> longest_ns) {
  std::string values;
  char value[64];
  for (const double percentile : percentiles) {
    // What a bucket holds is below its upper end, and the longest was measured exactly.
    const std::uint64_t ns = std::min(histogram.percentile_ns(percentile), longest_ns.value_or(UINT64_MAX));
    std::snprintf(value, sizeof value, "p%g=%.3f", percentile, static_cast<double>(ns) / unit_ns);
    if (!values.empty()) values += ',';
    values += value;
  }
  if (longest_ns) {
    std::snprintf(value, sizeof value, ",max=%.3f", static_cast<double>(*longest_ns) / unit_ns);
    values += value;
  }
  field(name, values);
}

std::string human_bytes(std::int64_t bytes) {
  constexpr double kStep = 1024;
  if (bytes < static_cast<std::int64_t>(kStep)) return std::to_string(bytes) + "B";
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  constexpr std::string_view kUnits = "BKMGTPE";
  while (value >= kStep && unit + 1 < kUnits.size()) {
    value /= kStep;
    ++unit;
  }
  char text[64];
  std::snprintf(text, sizeof text, "%.2f%c", value, kUnits[unit]);
  return text;
}

engine::Keyspace::Guard lock_all(CommandContext& context) {
  return context.in_transaction ? engine::Keyspace::Guard() : context.server.keyspace.lock(engine::kAllStripes);
}

namespace {

struct Section {
  std::string_view name;
  void (*write)(InfoText&, CommandContext&);
  bool by_default;
};

// In the order of the reply, whatever the order of the arguments.
constexpr std::array kSections{
    Section{"server", info_server, true},
    Section{"clients", info_clients, true},
    Section{"memory", info_memory, true},
    Section{"persistence", info_persistence, true},
    Section{"stats", info_stats, true},
    Section{"replication", info_replication, true},
    Section{"cpu", info_cpu, true},
    Section{"modules", info_modules, true},
    Section{"commandstats", info_commandstats, false},
    Section{"errorstats", info_errorstats, true},
    Section{"latencystats", info_latencystats, false},
    Section{"cluster", info_cluster, true},
    Section{"keyspace", info_keyspace, true},
};

bool wanted(const Section& section, std::span<const ByteView> names) {
  if (names.empty()) return section.by_default;
  return std::any_of(names.begin(), names.end(), [&](ByteView name) {
    if (equals_ignore_case(name, "all") || equals_ignore_case(name, "everything")) return true;
    if (equals_ignore_case(name, "default")) return section.by_default;
    return equals_ignore_case(name, section.name);
  });
}

CommandResult info(CommandContext& context, ArgReader args) {
  InfoText text;
  for (const Section& section : kSections) {
    if (wanted(section, args.rest())) section.write(text, context);
  }
  context.reply.verbatim("txt", text.text());
  return {};
}

constexpr std::array kRows{
    CommandRow{.name = "info",
               .arity = -1,
               .flags = kLoading | kStale,
               .categories = kCatDangerous,
               .group = Group::Server,
               .since = "1.0.0",
               .summary = "Get information and statistics about the server",
               .complexity = "O(1)",
               .handler = info,
               .locks = Locks::Own,
               .tips = "nondeterministic_output request_policy:all_shards response_policy:special",
               .arguments = "section?*",
               .history = "7.0.0 Added support for taking multiple section arguments."}};

}  // namespace

std::span<const CommandRow> info_commands() { return kRows; }

}  // namespace magpie::commands
