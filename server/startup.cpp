#include "server/startup.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "server/file_limit.h"
#include "server/logging.h"
#include "server/state/version.h"

namespace magpie::server {

std::vector<std::string> fit_to_machine(config::Settings& settings) {
  std::vector<std::string> warnings;
  const std::int64_t possible = make_room_for_clients(settings.maxclients, loop_count(settings));
  if (possible < settings.maxclients) {
    warnings.push_back("You requested maxclients of " + std::to_string(settings.maxclients) +
                       " but the limit of open files is too low for it: maxclients is now " + std::to_string(possible) +
                       ". Raise it with 'ulimit -n' to serve more.");
    settings.maxclients = possible;
  }
  if (settings.maxmemory == 0) {
    warnings.emplace_back(
        "maxmemory is not set: this node takes memory until the machine has none. Set it with --maxmemory.");
  }
  return warnings;
}

std::expected<void, std::string> has_address(const config::Settings& settings) {
  if (settings.port != 0 || !settings.unixsocket.empty()) return {};
  return std::unexpected(
      "'port' is 0 and 'unixsocket' is not set: there is nothing to listen on. Set one of them with --port or "
      "--unixsocket.");
}

std::expected<void, std::string> fits_together(const config::Settings& settings) {
  if (wants_shard(settings)) {
    if (auto setup = read_shard_setup(settings); !setup) return std::unexpected(setup.error());
  } else if (settings.replication_mode == config::ReplicationMode::Isr) {
    return std::unexpected("the replication-mode 'isr' is for nodes of a shard: set 'arbiter', or use 'semi'");
  }
  return {};
}

std::expected<std::unique_ptr<Node>, std::string> make_node(config::ConfigStore& config) {
  try {
    return std::make_unique<Node>(config);
  } catch (const net::Loop::Unavailable& failure) {
    return std::unexpected("cannot start " + std::to_string(loop_count(*config.current())) +
                           " threads: cannot make an event loop: " + failure.why +
                           ". Lower --threads, or raise 'ulimit -n'.");
  }
}

std::expected<void, std::string> write_pid_file(const std::string& path) {
  if (path.empty()) return {};
  std::ofstream file(path, std::ios::trunc);
  file << getpid() << '\n';
  file.close();
  if (file) return {};
  return std::unexpected("cannot write the pid file '" + path + "': " + std::strerror(errno) +
                         ". Choose another with --pidfile, or make its folder writable.");
}

void remove_pid_file(const std::string& path) {
  if (!path.empty()) std::remove(path.c_str());
}

void log_banner(const Node& node, const config::Settings& settings) {
  log_notice(std::string("Magpie ") + kVersion + ", port " + std::to_string(node.port()) + ", pid " +
             std::to_string(getpid()) + ", threads " + std::to_string(node.threads()) + ", maxmemory " +
             (settings.maxmemory == 0 ? std::string("not set") : std::to_string(settings.maxmemory) + " bytes"));
  log_notice("Ready to accept connections");
}

}  // namespace magpie::server
