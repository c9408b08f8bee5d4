#pragma once

#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "server/config/config_store.h"
#include "server/net/listener.h"
#include "server/net/loop.h"

namespace magpie::server {

/// The sockets on which a node takes connections. The thread of their loop only.
class Listeners {
 public:
  Listeners(net::Loop& loop, std::function<void(int)> on_accept) : loop_(loop), on_accept_(std::move(on_accept)) {}

  /// Opens all that the settings ask for; the message says which address failed, why, and what to do.
  std::expected<void, std::string> open(const config::Settings& settings);
  /// CONFIG SET port or bind: listens there instead. If that is impossible, all is as before.
  std::expected<void, config::ConfigStore::Veto> move(const config::Settings& before, const config::Settings& after);
  void close();

  /// The TCP port in use (the kernel's choice if 0 was asked for); 0: none.
  int port() const { return port_; }

 private:
  std::expected<void, net::Listener::Error> open_tcp(const config::Settings& settings, int port);

  net::Loop& loop_;
  std::function<void(int)> on_accept_;
  std::vector<net::Listener> tcp_;
  std::vector<net::Listener> unix_;  // at most one
  int port_ = 0;
};

}  // namespace magpie::server
