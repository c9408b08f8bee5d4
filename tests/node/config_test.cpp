// CONFIG SET of what the process around the commands has to follow.

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "tests/node/fixture.h"

using magpie::testing::Client;
using magpie::testing::TestNode;

namespace {

std::string failed(const std::string& option, const std::string& why) {
  return "-ERR CONFIG SET failed (possibly related to argument '" + option + "') - " + why + "\r\n";
}

/// A port of this machine that is free now.
int free_port() {
  TestNode node;
  return node.port();
}

}  // namespace

TEST_CASE("CONFIG SET port: the node listens there instead, its clients stay") {
  TestNode node;
  const int before = node.port();
  Client client(node);
  const int port = free_port();
  CHECK(client.run("CONFIG SET port " + std::to_string(port)) == "+OK\r\n");
  CHECK(Client(port).run("PING") == "+PONG\r\n");
  CHECK(client.run("PING") == "+PONG\r\n");
  CHECK(node.state().tcp_port.load() == port);
  CHECK_THROWS(Client(before).run("PING"));
  CHECK(client.run("CONFIG SET port 0") == "+OK\r\n");
  CHECK_THROWS(Client(port).run("PING"));
  CHECK(client.run("CONFIG SET port " + std::to_string(port)) == "+OK\r\n");
  CHECK(Client(port).run("PING") == "+PONG\r\n");
}

TEST_CASE("CONFIG SET port and bind: what cannot be leaves all as it was") {
  TestNode other;
  TestNode node;
  Client client(node);
  CHECK(client.run("CONFIG SET port " + std::to_string(other.port())) ==
        failed("port", "Unable to listen on this port. Check server logs."));
  CHECK(client.run("CONFIG SET bind 192.0.2.1") == failed("bind", "Failed to bind to specified addresses."));
  CHECK(client.run("CONFIG GET bind") == "*2\r\n$4\r\nbind\r\n$9\r\n127.0.0.1\r\n");
  CHECK(Client(node).run("PING") == "+PONG\r\n");
  CHECK(client.run("CONFIG SET bind *") == "+OK\r\n");
  CHECK(Client(node).run("PING") == "+PONG\r\n");
}

TEST_CASE("a node that has a socket file may do without addresses, as in Redis") {
  magpie::config::Settings settings;
  settings.unixsocket = "/tmp/magpie-config-test-" + std::to_string(getpid());
  TestNode node(settings);
  CHECK(node.port() == 0);
  const int port = free_port();
  const std::string number = std::to_string(port);
  const std::array pairs{std::pair{magpie::ByteView("port"), magpie::ByteView(number)}};
  REQUIRE(node.config().set(pairs).has_value());
  Client client(port);
  CHECK(client.run("INFO server").find("listener1:name=unix,bind=" + settings.unixsocket + "\r\n") !=
        std::string::npos);
  CHECK(client.run("CONFIG SET bind \"\"") == "+OK\r\n");
  CHECK_THROWS(Client(port).run("PING"));
  CHECK(client.run("CONFIG SET bind 127.0.0.1") == "+OK\r\n");
  CHECK(Client(port).run("PING") == "+PONG\r\n");
}

TEST_CASE("CONFIG SET maxclients beyond what the system allows is an error") {
  TestNode node;
  Client client(node);
  const std::string reply = client.run("CONFIG SET maxclients 4294967295");
  CHECK(reply.starts_with(
      "-ERR CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is not able to "
      "handle the specified number of clients, try with "));
  CHECK(client.run("CONFIG GET maxclients") == "*2\r\n$10\r\nmaxclients\r\n$5\r\n10000\r\n");
  CHECK(client.run("CONFIG SET maxclients 100") == "+OK\r\n");
}
