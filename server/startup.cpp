#include "server/startup.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "server/logging.h"
#include "server/state/version.h"

namespace magpie::server {

void fit_file_limit(config::Settings& settings) {
  constexpr rlim_t kOwnFiles = 32;  // listeners, log, eventfds
  const rlim_t wanted = static_cast<rlim_t>(settings.maxclients) + kOwnFiles;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  rlimit raised = limit;
  raised.rlim_cur = wanted;
  raised.rlim_max = std::max(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return;
  raised.rlim_cur = raised.rlim_max = limit.rlim_max;  // as far as an ordinary user may
  if (setrlimit(RLIMIT_NOFILE, &raised) != 0) raised = limit;
  const auto possible = static_cast<std::int64_t>(std::max(raised.rlim_cur, kOwnFiles + 1) - kOwnFiles);
  if (possible >= settings.maxclients) return;
  log_warning("You requested maxclients of " + std::to_string(settings.maxclients) +
              " but the limit of open files is " + std::to_string(raised.rlim_cur) + ": maxclients is now " +
              std::to_string(possible) + ". Raise it with 'ulimit -n' to serve more.");
  settings.maxclients = possible;
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
  if (settings.maxmemory == 0) {
    log_warning("maxmemory is not set: this node takes memory until the machine has none. Set it with --maxmemory.");
  }
  log_notice("Ready to accept connections");
}

}  // namespace magpie::server
