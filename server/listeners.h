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
  using OnAccept = std::function<void(int)>;
  Listeners(net::Loop& loop, OnAccept on_client, OnAccept on_node)
      : loop_(loop), on_accept_(std::move(on_client)), on_node_(std::move(on_node)) {}

  /// Opens all that the settings ask for; the message says which address failed, why, and what to do.
  std::expected<void, std::string> open(const config::Settings& settings);
  /// Opens the port for other nodes, at the addresses of the settings; returns it. 0: the kernel chooses.
  std::expected<int, std::string> open_for_nodes(const config::Settings& settings, int port);
  /// CONFIG SET port or bind: listens there instead. If that is impossible, all is as before.
  std::expected<void, config::ConfigStore::Veto> move(const config::Settings& before, const config::Settings& after);
  void close();

  /// The TCP port in use (the kernel's choice if 0 was asked for); 0: none.
  int port() const { return port_; }

 private:
  struct Opened {
    std::vector<net::Listener> listeners;
    int port = 0;
  };
  std::expected<Opened, net::Listener::Error> open_tcp(const config::Settings& settings, int port,
                                                       const OnAccept& on_accept);
  std::expected<void, net::Listener::Error> open_for_clients(const config::Settings& settings, int port);

  net::Loop& loop_;
  OnAccept on_accept_;
  OnAccept on_node_;
  std::vector<net::Listener> tcp_;
  std::vector<net::Listener> unix_;  // at most one
  std::vector<net::Listener> node_;
  int port_ = 0;
};

}  // namespace magpie::server
