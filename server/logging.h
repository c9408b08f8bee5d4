#pragma once

#include <expected>
#include <string>

#include "server/config/settings.h"

namespace magpie::server {

/// The process's log: asynchronous, to `logfile` or standard output, from `loglevel` up. Any thread may log after
/// start_logging(), which the main thread calls once.
std::expected<void, std::string> start_logging(const config::Settings& settings);
/// Writes out what is queued.
void stop_logging();
/// CONFIG SET loglevel.
void set_log_level(config::LogLevel level);

void log_verbose(const std::string& text);
void log_notice(const std::string& text);
void log_warning(const std::string& text);

}  // namespace magpie::server
