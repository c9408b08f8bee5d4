#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "server/config/command_line.h"
#include "server/config/config_file.h"
#include "server/config/settings.h"

namespace magpie::config {

struct LoadedConfig {
  Settings settings;
  std::vector<std::string> warnings;  // one line each, for the log
  std::string config_file;            // absolute path; empty if there is none
  Mode mode = Mode::Serve;
  std::string output;  // what Help, HelpOptions and CheckConfig print
};

/// Why the server cannot start; text for the user, such as
/// "redis.conf:7: 'maxmemory' does not take 'abc': a size such as 100mb is allowed".
struct StartupError {
  std::string message;
};

/// Reads the configuration at start-up: the file, standard input, the command line; what comes later wins.
std::expected<LoadedConfig, StartupError> load(int argc, const char* const* argv);

/// The same with the world passed in; "-" is asked of `reader` for standard input.
std::expected<LoadedConfig, StartupError> load(std::span<const std::string> words, const SourceReader& reader);

struct Applied {
  Settings settings;
  std::vector<std::string> warnings;
};
/// Applies directives to the defaults. Pure.
std::expected<Applied, std::string> apply_directives(std::span<const Directive> directives);

/// Reads from the file system, expanding patterns such as conf.d/*.conf, and "-" from standard input.
std::expected<std::vector<SourceText>, std::string> read_sources(const std::string& path);

}  // namespace magpie::config
