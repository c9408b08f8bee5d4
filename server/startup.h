#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "server/config/settings.h"
#include "server/node.h"

namespace magpie::server {

/// Raises the limit of open files to what maxclients needs; where that is not allowed, lowers maxclients. Returns what
/// to warn of: that, and no limit of memory.
std::vector<std::string> fit_to_machine(config::Settings& settings);
/// Whether the settings name anything to listen on.
std::expected<void, std::string> has_address(const config::Settings& settings);
/// Whether what the settings say of a shard makes sense together.
std::expected<void, std::string> fits_together(const config::Settings& settings);
/// The node, or why the system has no room for its loops.
std::expected<std::unique_ptr<Node>, std::string> make_node(config::ConfigStore& config);
std::expected<void, std::string> write_pid_file(const std::string& path);
void remove_pid_file(const std::string& path);
/// Version, port, threads, memory limit: the first lines of the log.
void log_banner(const Node& node, const config::Settings& settings);

}  // namespace magpie::server
