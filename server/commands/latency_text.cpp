#include "server/commands/latency_text.h"

#include <algorithm>
#include <cmath>

namespace magpie::commands {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kRows = 4;

/// "5s", "12m", "3h", "2d"
std::string age_text(std::int64_t seconds) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 3600;
  constexpr std::int64_t kDay = 86400;
  seconds = std::max<std::int64_t>(seconds, 0);
  if (seconds < kMinute) return std::to_string(seconds) + "s";
  if (seconds < kHour) return std::to_string(seconds / kMinute) + "m";
  if (seconds < kDay) return std::to_string(seconds / kHour) + "h";
  return std::to_string(seconds / kDay) + "d";
}

/// The characters of one column from top to bottom: a bar of `height` (0 to 1) over kRows rows.
std::string column_of(double height) {
  constexpr double kSteps = 3;  // of a character: '_', 'o', '#'
  const auto level = static_cast<std::size_t>(std::lround(height * static_cast<double>(kRows) * kSteps));
  std::string column(kRows, ' ');
  const std::size_t full = level / static_cast<std::size_t>(kSteps);
  for (std::size_t row = 0; row < std::min(full, kRows); ++row) column[kRows - 1 - row] = '#';
  if (full < kRows) column[kRows - 1 - full] = " _o"[level % static_cast<std::size_t>(kSteps)];
  if (full == 0 && level == 0) column[kRows - 1] = '_';
  return column;
}

struct Range {
  std::int64_t low;
  std::int64_t high;
};

Range range_of(const server::LatencyMonitor::Event& event) {
  const auto [low, high] = std::minmax_element(event.samples.begin(), event.samples.end(),
                                               [](const auto& a, const auto& b) { return a.ms < b.ms; });
  return {low->ms, high->ms};
}

std::int64_t mean_of(const server::LatencyMonitor::Event& event) {
  std::int64_t sum = 0;
  for (const auto& sample : event.samples) sum += sample.ms;
  return sum / static_cast<std::int64_t>(event.samples.size());
}

}  // namespace

std::string latency_graph_text(const server::LatencyMonitor::Event& event, std::int64_t now_seconds) {
  const Range range = range_of(event);
  std::string text = event.name + " - high " + std::to_string(range.high) + " ms, low " + std::to_string(range.low) +
                     " ms (all time high " + std::to_string(event.max_ms) + " ms)\n" + std::string(kColumns, '-') +
                     "\n";
  std::vector<std::string> columns;
  std::size_t rows = kRows;
  const std::size_t shown = std::min(event.samples.size(), kColumns);
  for (std::size_t i = event.samples.size() - shown; i < event.samples.size(); ++i) {
    const auto& sample = event.samples[i];
    const double height = range.high == range.low ? 0
                                                  : static_cast<double>(sample.ms - range.low) /
                                                        static_cast<double>(range.high - range.low);
    columns.push_back(column_of(height) + "\n" + age_text(now_seconds - sample.time_seconds));
    columns.back().erase(kRows, 1);  // the age stands right below the bar
    rows = std::max(rows, columns.back().size());
  }
  for (std::size_t row = 0; row < rows; ++row) {
    for (const std::string& column : columns) text += row < column.size() ? column[row] : ' ';
    text += '\n';
  }
  return text;
}

std::string latency_doctor_text(const std::vector<server::LatencyMonitor::Event>& events, std::int64_t threshold_ms) {
  if (threshold_ms == 0) {
    return "Latency monitoring is off, so no latency spikes are recorded. Turn it on with CONFIG SET "
           "latency-monitor-threshold <milliseconds>: events that take as long as that are kept from then on.\n";
  }
  if (events.empty()) {
    return "No latency spikes of " + std::to_string(threshold_ms) +
           " milliseconds or more were seen since the last LATENCY RESET.\n";
  }
  std::string text =
      "These latency spikes reached the threshold of " + std::to_string(threshold_ms) + " milliseconds:\n\n";
  for (const auto& event : events) {
    text += event.name + ": " + std::to_string(event.samples.size()) + " spikes, mean " +
            std::to_string(mean_of(event)) + " ms, worst of all time " + std::to_string(event.max_ms) + " ms.\n";
  }
  return text +
         "\nSLOWLOG GET shows which commands were slow. Commands that visit many keys or elements (KEYS, large MGET, "
         "FLUSHALL SYNC) delay others: SCAN, smaller batches and FLUSHALL ASYNC do not. Large values cost time as "
         "well: "
         "see COMMANDLOG GET -1 large-reply.\n";
}

}  // namespace magpie::commands
