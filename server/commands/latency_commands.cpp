// LATENCY: events above latency-monitor-threshold, and how long which command took.

#include <algorithm>
#include <array>

#include "server/commands/command_table.h"
#include "server/commands/context.h"
#include "server/commands/help_reply.h"
#include "server/commands/latency_text.h"

namespace magpie::commands {
namespace {

CommandResult latency_latest(CommandContext& context, ArgReader) {
  const auto events = context.server.latency.all();
  context.reply.array(events.size());
  for (const auto& event : events) {
    context.reply.array(4);
    context.reply.bulk(event.name);
    context.reply.integer(event.samples.back().time_seconds);
    context.reply.integer(event.samples.back().ms);
    context.reply.integer(event.max_ms);
  }
  return {};
}

std::optional<server::LatencyMonitor::Event> event_named(CommandContext& context, ByteView name) {
  const auto events = context.server.latency.all();
  const auto found = std::find_if(events.begin(), events.end(), [&](const auto& event) { return event.name == name; });
  if (found == events.end()) return std::nullopt;
  return *found;
}

CommandResult latency_history(CommandContext& context, ArgReader args) {
  const auto event = event_named(context, args.bytes());
  context.reply.array(event ? event->samples.size() : 0);
  if (!event) return {};
  for (const auto& sample : event->samples) {
    context.reply.array(2);
    context.reply.integer(sample.time_seconds);
    context.reply.integer(sample.ms);
  }
  return {};
}

CommandResult latency_reset(CommandContext& context, ArgReader args) {
  const std::vector<std::string> names(args.rest().begin(), args.rest().end());
  context.reply.integer(static_cast<std::int64_t>(context.server.latency.reset(names)));
  return {};
}

CommandResult latency_graph(CommandContext& context, ArgReader args) {
  const ByteView name = args.bytes();
  const auto event = event_named(context, name);
  if (!event) return error("ERR No samples available for event '" + std::string(name) + "'");
  context.reply.verbatim("txt", latency_graph_text(*event, context.now.ms / 1000));
  return {};
}

CommandResult latency_doctor(CommandContext& context, ArgReader) {
  context.reply.verbatim("txt",
                         latency_doctor_text(context.server.latency.all(), context.settings.latency_monitor_threshold));
  return {};
}

/// Calls that took up to a power of two of microseconds (in binary thousands of nanoseconds, as Redis counts), without
/// the steps in which nothing was added.
std::vector<std::pair<std::int64_t, std::int64_t>> cumulative(const server::HistogramTotals& histogram) {
  std::vector<std::pair<std::int64_t, std::int64_t>> steps;
  constexpr std::uint64_t kUsNs = 1000;
  std::uint64_t upper = 1024;
  std::uint64_t sum = 0;
  std::uint64_t shown = 0;
  const auto step = [&] {
    if (sum == shown) return;
    steps.emplace_back(static_cast<std::int64_t>((upper - 1) / kUsNs), static_cast<std::int64_t>(sum));
    shown = sum;
  };
  for (unsigned bucket = 0; bucket < server::DurationHistogram::kBuckets; ++bucket) {
    while (server::DurationHistogram::upper_bound_ns(bucket) >= upper) {
      step();
      upper *= 2;
    }
    sum += histogram.counts[bucket];
  }
  step();
  return steps;
}

/// What is no command, and so only shown if it is asked for by name.
std::optional<server::HistogramTotals> other_histogram(CommandContext& context, ByteView name) {
  if (equals_ignore_case(name, "expire-lag")) return server::totals_of(context.server.keyspace.expiry_lag());
  if (equals_ignore_case(name, "background-slice")) return server::totals_of(context.server.background_slices);
  if (equals_ignore_case(name, "page-slice")) return server::totals_of(context.server.page_slices);
  return std::nullopt;
}

void reply_histogram(CommandContext& context, const std::string& name, const server::HistogramTotals& histogram) {
  const auto steps = cumulative(histogram);
  context.reply.bulk(name);
  context.reply.map(2);
  context.reply.bulk("calls");
  context.reply.integer(static_cast<std::int64_t>(histogram.count()));
  context.reply.bulk("histogram_usec");
  context.reply.map(steps.size());
  for (const auto& [us, count] : steps) {
    context.reply.integer(us);
    context.reply.integer(count);
  }
}

CommandResult latency_histogram(CommandContext& context, ArgReader args) {
  std::vector<std::pair<std::string, server::HistogramTotals>> asked;
  const auto add = [&](const std::string& name, const server::HistogramTotals& histogram) {
    if (histogram.count() > 0) asked.emplace_back(name, histogram);
  };
  const auto add_command = [&](const Command* command) {
    add(command->full_name, context.server.baseline.histogram(context.server.loops, command->id));
  };
  for (const ByteView name : args.rest()) {
    if (const auto other = other_histogram(context, name)) add(std::string(name), *other);
    const Command* command = find_by_full_name(name);
    if (command == nullptr) continue;
    add_command(command);
    std::ranges::for_each(command->subcommands, add_command);
  }
  if (args.done()) std::ranges::for_each(all_commands(), add_command);
  context.reply.map(asked.size());
  for (const auto& [name, histogram] : asked) reply_histogram(context, name, histogram);
  return {};
}

CommandResult latency_help(CommandContext& context, ArgReader) {
  static constexpr std::string_view kLines[] = {"DOCTOR",
                                                "    The latency events in words, with advice.",
                                                "GRAPH <event>",
                                                "    The samples of an event, drawn in characters.",
                                                "HISTORY <event>",
                                                "    Unix time and milliseconds of the samples of an event.",
                                                "LATEST",
                                                "    The last and the largest sample of each event.",
                                                "RESET [<event> ...]",
                                                "    Forgets these events, all of them if none is named.",
                                                "HISTOGRAM [<command> ...]",
                                                "    How many calls of each command took up to how many",
                                                "    microseconds, for all commands if none is named; also of",
                                                "    expire-lag, background-slice and page-slice."};
  return reply_help(context, kLines);
}

constexpr std::array kLatencySubcommands{
    CommandRow{.name = "doctor",
               .arity = 2,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "2.8.13",
               .summary = "Return a human readable latency analysis report.",
               .complexity = "O(1)",
               .handler = latency_doctor,
               .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"},
    CommandRow{.name = "graph",
               .arity = 3,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "2.8.13",
               .summary = "Return a latency graph for the event.",
               .complexity = "O(1)",
               .handler = latency_graph,
               .tips = "nondeterministic_output request_policy:all_nodes response_policy:special",
               .arguments = "event"},
    CommandRow{.name = "help",
               .arity = 2,
               .flags = kLoading | kStale,
               .group = Group::Server,
               .since = "2.8.13",
               .summary = "Show helpful text about the different subcommands.",
               .complexity = "O(1)",
               .handler = latency_help},
    CommandRow{.name = "histogram",
               .arity = -2,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "7.0.0",
               .summary = "Return the cumulative distribution of latencies of a subset of commands or all.",
               .complexity = "O(N) where N is the number of commands with latency information being retrieved.",
               .handler = latency_histogram,
               .tips = "nondeterministic_output request_policy:all_nodes response_policy:special",
               .arguments = "command?*"},
    CommandRow{.name = "history",
               .arity = 3,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "2.8.13",
               .summary = "Return timestamp-latency samples for the event.",
               .complexity = "O(1)",
               .handler = latency_history,
               .tips = "nondeterministic_output request_policy:all_nodes response_policy:special",
               .arguments = "event"},
    CommandRow{.name = "latest",
               .arity = 2,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "2.8.13",
               .summary = "Return the latest latency samples for all events.",
               .complexity = "O(1)",
               .handler = latency_latest,
               .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"},
    CommandRow{.name = "reset",
               .arity = -2,
               .flags = kAdmin | kNoScript | kLoading | kStale,
               .group = Group::Server,
               .since = "2.8.13",
               .summary = "Reset latency data for one or more events.",
               .complexity = "O(1)",
               .handler = latency_reset,
               .tips = "request_policy:all_nodes response_policy:all_succeeded",
               .arguments = "event?*"}};
constexpr std::array kRows{CommandRow{.name = "latency",
                                      .arity = -2,
                                      .group = Group::Server,
                                      .since = "2.8.13",
                                      .summary = "A container for latency diagnostics commands",
                                      .complexity = "Depends on subcommand.",
                                      .subcommands = kLatencySubcommands}};

}  // namespace

std::span<const CommandRow> latency_commands() { return kRows; }

}  // namespace magpie::commands
