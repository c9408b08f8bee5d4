#include "server/listeners.h"

#include <cerrno>
#include <utility>

#include "server/logging.h"

namespace magpie::server {
namespace {

void log_lack(const char* error) { log_warning(std::string("Accepting client connection: accept: ") + error); }

/// Errors of an address that this machine does not have, which a '-' in front of it forgives. The same as in Redis.
bool is_unavailable(int error) {
  return error == EADDRNOTAVAIL || error == EAFNOSUPPORT || error == EPFNOSUPPORT || error == EPROTONOSUPPORT ||
         error == ESOCKTNOSUPPORT || error == ENOPROTOOPT;
}

/// What to do about an address that could not be opened at start.
const char* advice_for(int error) {
  switch (error) {
    case EADDRINUSE:
      return "Stop what uses it, or choose another with --port or --bind.";
    case EACCES:
      return "Choose a port of 1024 or more with --port, or let the process use lower ones.";
    default:
      return "Choose addresses of this machine with --bind.";
  }
}

}  // namespace

std::expected<Listeners::Opened, net::Listener::Error> Listeners::open_tcp(const config::Settings& settings, int port,
                                                                           const OnAccept& on_accept) {
  std::vector<net::Listener> opened;
  for (const std::string& entry : settings.bind) {
    const bool optional = entry.starts_with('-');
    auto listener = net::Listener::tcp(loop_, optional ? entry.substr(1) : entry, port,
                                       static_cast<int>(settings.tcp_backlog), on_accept, log_lack);
    if (listener) {
      port = listener->port();  // port 0: the other addresses use the port that the kernel chose
      opened.push_back(std::move(*listener));
    } else if (optional && is_unavailable(listener.error().code)) {
      log_verbose("'bind' " + entry + " is left out: " + listener.error().message);
    } else {
      return std::unexpected(std::move(listener.error()));
    }
  }
  // As in Redis, a node may be reachable through its other socket alone.
  if (opened.empty() && settings.unixsocket.empty()) {
    return std::unexpected(net::Listener::Error{EADDRNOTAVAIL, "none of the addresses of 'bind' is available"});
  }
  return Opened{std::move(opened), port};
}

std::expected<void, net::Listener::Error> Listeners::open_for_clients(const config::Settings& settings, int port) {
  auto opened = open_tcp(settings, port, on_accept_);
  if (!opened) return std::unexpected(std::move(opened.error()));
  tcp_ = std::move(opened->listeners);
  port_ = opened->port;
  return {};
}

std::expected<int, std::string> Listeners::open_for_nodes(const config::Settings& settings, int port) {
  auto opened = open_tcp(settings, port, on_node_);
  if (!opened) return std::unexpected(opened.error().message);
  node_ = std::move(opened->listeners);
  return opened->port;
}

std::expected<void, std::string> Listeners::open(const config::Settings& settings) {
  if (settings.port != 0 || settings.unixsocket.empty()) {
    if (const auto opened = open_for_clients(settings, static_cast<int>(settings.port)); !opened) {
      return std::unexpected(opened.error().message + ". " + advice_for(opened.error().code));
    }
  }
  if (settings.unixsocket.empty()) return {};
  auto listener = net::Listener::unix_socket(loop_, settings.unixsocket, static_cast<unsigned>(settings.unixsocketperm),
                                             static_cast<int>(settings.tcp_backlog), on_accept_, log_lack);
  if (!listener) {
    return std::unexpected(listener.error().message +
                           ". Choose another with --unixsocket, or make its folder writable.");
  }
  unix_.push_back(std::move(*listener));
  return {};
}

std::expected<void, config::ConfigStore::Veto> Listeners::move(const config::Settings& before,
                                                               const config::Settings& after) {
  const int old_port = port_;
  const bool other_port = after.port != before.port;
  const int port = other_port ? static_cast<int>(after.port) : old_port;
  if (port == 0) {
    tcp_.clear();
    port_ = 0;
    return {};
  }
  if (!other_port) tcp_.clear();  // the new addresses may cover the old ones
  const auto opened = open_for_clients(after, port);
  if (opened) return {};
  log_warning("CONFIG SET: " + opened.error().message);
  if (tcp_.empty() && old_port != 0) {
    if (const auto again = open_for_clients(before, old_port); !again)
      log_warning("CONFIG SET: " + again.error().message);
  }
  if (other_port) {
    return std::unexpected(config::ConfigStore::Veto{"port", "Unable to listen on this port. Check server logs."});
  }
  return std::unexpected(config::ConfigStore::Veto{"bind", "Failed to bind to specified addresses."});
}

void Listeners::close() {
  tcp_.clear();
  unix_.clear();
  node_.clear();
}

}  // namespace magpie::server
