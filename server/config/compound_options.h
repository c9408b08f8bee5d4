#pragma once

#include "server/config/option.h"

/// The kinds of options whose values have a grammar of their own. Used by the files of rows.
namespace magpie::config {

extern const Custom kBindAddresses;       // Settings::bind
extern const Custom kOutputBufferLimits;  // Settings::client_output_buffer_limit
extern const Custom kPercentiles;         // Settings::latency_tracking_info_percentiles
extern const Custom kKeyspaceEvents;      // Settings::notify_keyspace_events
extern const Custom kMaster;              // Settings::replicaof_host and replicaof_port
extern const Custom kSavePoints;          // kept as text, as are the following
extern const Custom kOomScores;
extern const Custom kShutdownFlags;
extern const Custom kWorkingDirectory;

}  // namespace magpie::config
