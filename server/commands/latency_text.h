#pragma once

#include <string>
#include <vector>

#include "server/state/latency_monitor.h"

namespace magpie::commands {

/// LATENCY GRAPH: the samples of an event as columns, newest at the right, their age written below.
std::string latency_graph_text(const server::LatencyMonitor::Event& event, std::int64_t now_seconds);

/// LATENCY DOCTOR: the events in words.
std::string latency_doctor_text(const std::vector<server::LatencyMonitor::Event>& events, std::int64_t threshold_ms);

}  // namespace magpie::commands
