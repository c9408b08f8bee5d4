#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "server/net/loop.h"

namespace magpie::net {

/// One attempt to connect to a host by TCP: looks its name up, then tries the addresses one after the other. How long
/// that may take is the owner's business.
class Connector {
 public:
  struct Error {
    int code;             // errno of the last address; 0 if the name was not found
    std::string message;  // "Connection refused"
  };
  /// Gets the connected socket (non-blocking, close-on-exec) and owns it from then on, or why there is none. Once, on
  /// the loop's thread, never from inside the constructor. May destroy the connector.
  using OnDone = std::move_only_function<void(std::expected<int, Error>)>;

  Connector(Loop& loop, const std::string& host, int port, OnDone on_done);
  ~Connector();  // ends the attempt: nothing is told any more
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

 private:
  class Body;
  std::shared_ptr<Body> body_;
};

}  // namespace magpie::net
