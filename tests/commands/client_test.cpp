#include <doctest/doctest.h>

#include "tests/commands/test_server.h"

using magpie::testing::TestServer;

namespace {

const std::string kOk = "+OK\r\n";

/// The names of the clients that CLIENT LIST shows with these filters.
std::string listed(TestServer& server, const std::string& filters) {
  const std::string reply = server.run("CLIENT LIST " + filters);
  std::string names;
  for (std::size_t at = reply.find(" name="); at != std::string::npos; at = reply.find(" name=", at + 1)) {
    const std::size_t start = at + 6;
    names += reply.substr(start, reply.find(' ', start) - start) + " ";
  }
  return names;
}

/// Three clients: a in database 0, b in 3, c idle.
void make_clients(TestServer& server) {
  (void)server.run_as(2, "CLIENT SETNAME c");
  server.advance(5000);
  (void)server.run("CLIENT SETNAME a");
  (void)server.run("CLIENT SETINFO LIB-NAME lib");
  (void)server.run_as(1, "CLIENT SETNAME b");
  (void)server.run_as(1, "SELECT 3");
}

}  // namespace

TEST_CASE("a line of CLIENT LIST has all fields of 7.2") {
  TestServer server;
  server.advance(3500);
  (void)server.run("CLIENT SETNAME me");
  (void)server.run("CLIENT SETINFO lib-ver 1.2");
  const std::string line =
      "id=1 addr=127.0.0.1:50000 laddr=127.0.0.1:6379 fd=-1 name=me age=0 idle=0 flags=N db=0 sub=0 psub=0 ssub=0 "
      "multi=-1 qbuf=0 qbuf-free=0 argv-mem=10 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=";
  CHECK(server.run("CLIENT INFO").find(line) != std::string::npos);
  CHECK(server.run("CLIENT INFO")
            .ends_with(" events=r cmd=client|info user=default redir=-1 resp=2 lib-name= lib-ver=1.2\n\r\n"));
  server.advance(3500);
  CHECK(server.run_as(1, "CLIENT LIST ID 1").find(" age=3 idle=3 ") != std::string::npos);
}

TEST_CASE("CLIENT LIST filters") {
  TestServer server;
  make_clients(server);
  CHECK(listed(server, "") == "a b c ");
  CHECK(listed(server, "ID 3 1 77 -4") == "c a ");
  CHECK(listed(server, "TYPE normal") == "a b c ");
  CHECK(listed(server, "TYPE pubsub") == "");
  CHECK(listed(server, "NAME b") == "b ");
  CHECK(listed(server, "DB 3") == "b ");
  CHECK(listed(server, "LIB-NAME lib") == "a ");
  CHECK(listed(server, "IDLE 5") == "c ");
  CHECK(listed(server, "MAXAGE 5 NAME c") == "c ");
  CHECK(listed(server, "SKIPME yes TYPE normal") == "b c ");
  CHECK(listed(server, "IP 127.0.0.1 NOT-ID 1") == "b c ");
  CHECK(listed(server, "USER nobody") == "");
  CHECK(listed(server, "ADDR 127.0.0.1:50001") == "b ");
  CHECK(server.run("CLIENT LIST TYPE x") == "-ERR Unknown client type 'x'\r\n");
  CHECK(server.run("CLIENT LIST TYPE normal ID 1") == "-ERR syntax error\r\n");
  CHECK(server.run("CLIENT LIST ID x") == "-ERR Invalid client ID\r\n");
}

TEST_CASE("CLIENT KILL marks a client once, and spares its own unless told otherwise") {
  TestServer server;
  make_clients(server);
  CHECK(server.run("CLIENT KILL ADDR 127.0.0.1:50001") == ":1\r\n");
  CHECK(server.run("CLIENT KILL ADDR 127.0.0.1:50001") == ":0\r\n");
  CHECK(server.killed.size() == 1);
  CHECK(listed(server, "") == "a c ");
  CHECK(server.run("CLIENT KILL 127.0.0.1:50001") == "-ERR No such client\r\n");
  CHECK(server.run("CLIENT KILL 127.0.0.1:50002") == kOk);
  CHECK(server.run("CLIENT KILL TYPE normal") == ":0\r\n");
  CHECK(server.run("CLIENT KILL USER nobody") == "-ERR No such user 'nobody'\r\n");
  CHECK(server.run("CLIENT KILL ID 0") == "-ERR client-id should be greater than 0\r\n");
  CHECK(server.run("CLIENT KILL TYPE normal SKIPME no") == ":1\r\n");
  CHECK(server.client().ending == magpie::server::Ending::AfterReply);
}

TEST_CASE("CLIENT REPLY silences a connection, or one command of it") {
  TestServer server;
  CHECK(server.send("CLIENT REPLY SKIP\r\nPING\r\nECHO on\r\n") == "$2\r\non\r\n");
  CHECK(server.send("CLIENT REPLY SKIP\r\nCLIENT REPLY SKIP\r\nPING\r\nECHO on\r\n") == "$2\r\non\r\n");
  CHECK(server.send("CLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\n") == kOk);
  CHECK(server.send("CLIENT REPLY OFF\r\nPING\r\nNOSUCH\r\nCLIENT REPLY SKIP\r\nPING\r\nPING\r\n").empty());
  CHECK(server.send("CLIENT REPLY ON\r\nPING\r\n") == kOk + "+PONG\r\n");
  CHECK(server.send("CLIENT REPLY OFF\r\n*1\r\n!\r\n").empty());
}

TEST_CASE("a pause keeps a command for later, its reply mode included") {
  TestServer server;
  CHECK(server.run("CLIENT PAUSE 1000 WRITE") == kOk);
  CHECK(server.run_as(1, "GET k") == "$-1\r\n");
  (void)server.run_as(1, "CLIENT REPLY SKIP");
  CHECK(server.run_as(1, "SET k v").empty());
  CHECK(server.client(1).blocked.has_value());
  CHECK(server.client(1).reply_mode == magpie::server::ReplyMode::Skip);
  CHECK(server.run("CLIENT PAUSE 10 WRITE") == kOk);
  server.advance(500);
  CHECK(server.state().pause.active(server.now()));  // not shortened
  CHECK(server.run("CLIENT UNPAUSE") == kOk);
  CHECK_FALSE(server.state().pause.active(server.now()));
  CHECK(server.run("CLIENT PAUSE -1") == "-ERR timeout is negative\r\n");
  CHECK(server.run("CLIENT PAUSE 1 x") == "-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n");
  CHECK(server.run("CLIENT PAUSE 1 WRITE x") ==
        "-ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP.\r\n");
}

TEST_CASE("a pause of writes holds an EXEC that writes, and not one that reads") {
  TestServer server;
  (void)server.run_as(1, "MULTI");
  (void)server.run_as(1, "SET k v");
  (void)server.run_as(2, "MULTI");
  (void)server.run_as(2, "GET k");
  CHECK(server.run("CLIENT PAUSE 1000 WRITE") == kOk);
  CHECK(server.run_as(1, "EXEC").empty());
  CHECK(server.client(1).blocked.has_value());
  CHECK(server.run_as(2, "EXEC") == "*1\r\n$-1\r\n");
}

TEST_CASE("CLIENT UNBLOCK ends a wait, but no pause, and only once") {
  TestServer server;
  CHECK(server.run_as(1, "WAIT 1 0").empty());
  CHECK(server.run("CLIENT UNBLOCK 1") == ":0\r\n");
  CHECK(server.run("CLIENT UNBLOCK 2 x") == "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR\r\n");
  const std::string id = std::to_string(static_cast<std::uint64_t>(server.client(1).id));
  CHECK(server.run("CLIENT UNBLOCK " + id) == ":1\r\n");
  CHECK(server.run("CLIENT UNBLOCK " + id) == ":0\r\n");
  CHECK(server.run("CLIENT PAUSE 1000 WRITE") == kOk);
  (void)server.run_as(2, "SET k v");
  CHECK(server.run("CLIENT UNBLOCK " + std::to_string(static_cast<std::uint64_t>(server.client(2).id))) == ":0\r\n");
}

TEST_CASE("a monitoring client keeps away from the keys") {
  TestServer server;
  CHECK(server.run("MONITOR") == kOk);
  CHECK(server.run("MONITOR").empty());
  CHECK(server.run("GET k") == "-ERR Replica can't interact with the keyspace\r\n");
  CHECK(server.run("PING") == "+PONG\r\n");
  CHECK(server.run("CLIENT INFO").find(" flags=O ") != std::string::npos);
  (void)server.run_as(1, "CLIENT LIST");  // administration is not shown
  (void)server.run_as(1, "SET k v");
  REQUIRE(server.monitor_lines.size() == 3);
  CHECK(server.monitor_lines[2].ends_with("] \"SET\" \"k\" \"v\""));
}

TEST_CASE("tracking is off, and says so") {
  TestServer server;
  CHECK(server.run("CLIENT TRACKING OFF") == kOk);
  CHECK(server.run("CLIENT TRACKING ON").find("not supported") != std::string::npos);
  CHECK(server.run("CLIENT TRACKING ON OPTIN BCAST") == "-ERR OPTIN and OPTOUT are not compatible with BCAST\r\n");
  CHECK(server.run("CLIENT GETREDIR") == ":-1\r\n");
  CHECK(server.run("CLIENT TRACKINGINFO") ==
        "*6\r\n$5\r\nflags\r\n*1\r\n$3\r\noff\r\n$8\r\nredirect\r\n:-1\r\n$8\r\nprefixes\r\n*0\r\n");
}
