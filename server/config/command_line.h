#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/config/config_file.h"

namespace magpie::config {

/// What the command line asks the program to do.
enum class Mode : std::uint8_t {
  Serve,
  CheckConfig,  // read the configuration, say whether it is good, stop
  Help,
  HelpOptions,  // print the reference document
  Version,
};

struct CommandLine {
  Mode mode = Mode::Serve;
  std::optional<std::string> file;
  bool standard_input = false;     // "-": more configuration on standard input
  std::vector<Directive> options;  // as if they stood at the end of the file
};

/// magpie-server [FILE] [-] [--NAME VALUE...]... [--help] [--help-options] [--version] [--check-config]
/// `words` excludes the program's name. An option's values end at the next word that starts with "--" and names an
/// option; --NAME=VALUE is taken too. Does not look at the values.
std::expected<CommandLine, std::string> parse_command_line(std::span<const std::string> words);

}  // namespace magpie::config
