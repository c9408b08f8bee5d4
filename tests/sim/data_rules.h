#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace magpie::sim {

/// The rules that the simulated data plane and node obey, to be switched off like cluster::Rules.
struct DataRules {
  bool fresh_clock = true;     // R8
  bool side_buffer = true;     // R12: an ISR member repairs aside
  bool skip_repaired = true;   // R13
  bool whole_log = true;       // R14: no partial resume over a hole
  bool cursor_order = true;    // R15
  bool whole_groups = true;    // R17
  bool replies_wait = true;    // R18
  bool lease_at_reply = true;  // R19: an unconfirmed write is acknowledged by a leader
};

/// Whose data plane it is.
enum class Plane : std::uint8_t { Model, Production };

/// What the simulated data plane has room and time for.
struct DataLimits {
  std::size_t log_records = 200;
  std::size_t padding = 0;  // bytes behind a value, in the production code
  std::chrono::milliseconds chunk_delay{10};  // at most, between two parts of a full sync
};

}  // namespace magpie::sim
