// CONFIG SET of what the process around the commands has to follow.

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "tests/node/fixture.h"

using magpie::testing::bulk;
using magpie::testing::Client;
using magpie::testing::eventually;
using magpie::testing::TestNode;

namespace {

std::string failed(const std::string& option, const std::string& why) {
  return "-ERR CONFIG SET failed (possibly related to argument '" + option + "') - " + why + "\r\n";
}

/// An address of this machine that no other process uses, so that what is free there stays free.
std::string own_address() {
  const auto pid = static_cast<unsigned>(::getpid());
  return "127." + std::to_string(1 + (pid >> 16 & 0x7f)) + "." + std::to_string(pid >> 8 & 0xff) + "." +
         std::to_string(pid & 0xff);
}

magpie::config::Settings at_own_address() {
  magpie::config::Settings settings;
  settings.bind = {own_address()};
  return settings;
}

/// A port that is free there.
int free_port() {
  TestNode node(at_own_address());
  return node.port();
}

Client connect_to(int port) { return Client(port, own_address()); }

}  // namespace

TEST_CASE("CONFIG SET port: the node listens there instead, its clients stay") {
  TestNode node(at_own_address());
  const int before = node.port();
  Client client = connect_to(before);
  const int port = free_port();
  CHECK(client.run("CONFIG SET port " + std::to_string(port)) == "+OK\r\n");
  CHECK(connect_to(port).run("PING") == "+PONG\r\n");
  CHECK(client.run("PING") == "+PONG\r\n");
  CHECK(node.state().tcp_port.load() == port);
  CHECK_THROWS(connect_to(before).run("PING"));
  CHECK(client.run("CONFIG SET port 0") == "+OK\r\n");
  CHECK_THROWS(connect_to(port).run("PING"));
  CHECK(client.run("CONFIG SET port " + std::to_string(port)) == "+OK\r\n");
  CHECK(connect_to(port).run("PING") == "+PONG\r\n");
}

TEST_CASE("CONFIG SET port and bind: what cannot be leaves all as it was") {
  TestNode other(at_own_address());
  TestNode node(at_own_address());
  Client client = connect_to(node.port());
  CHECK(client.run("CONFIG SET port " + std::to_string(other.port())) ==
        failed("port", "Unable to listen on this port. Check server logs."));
  CHECK(client.run("CONFIG SET bind 192.0.2.1") == failed("bind", "Failed to bind to specified addresses."));
  CHECK(client.run("CONFIG GET bind") == "*2\r\n$4\r\nbind\r\n" + bulk(own_address()));
  CHECK(connect_to(node.port()).run("PING") == "+PONG\r\n");
  // Somebody else may use the port at another address for a while.
  CHECK(eventually([&] { return client.run("CONFIG SET bind *") == "+OK\r\n"; }));
  CHECK(connect_to(node.port()).run("PING") == "+PONG\r\n");
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
