#pragma once

#include "server/arbiter/log_line.h"

namespace magpie::ctl {

/// The process's log: lines to standard output, each with the time (UTC) and a level, written by a thread of its own;
/// the oldest queued lines give way if nobody takes them. Once, by the main thread.
void start_logging();
/// Writes out what is queued.
void stop_logging();
/// Any thread, between these two.
void log(arbiter::LogLevel level, const arbiter::LogLine& line);

}  // namespace magpie::ctl
