#include <doctest/doctest.h>

#include "tests/commands/test_server.h"

using magpie::testing::TestServer;

namespace {

const std::string kOk = "+OK\r\n";
const std::string kNoAuth = "-NOAUTH Authentication required.\r\n";
const std::string kWrongPassword = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

magpie::config::Settings with_password() {
  magpie::config::Settings settings;
  settings.requirepass = "secret";
  return settings;
}

}  // namespace

TEST_CASE("without the password little is allowed, and mistakes come before NOAUTH") {
  TestServer server(with_password());
  for (const char* command : {"PING", "GET k", "MULTI", "CLIENT ID", "SELECT 1"}) CHECK(server.run(command) == kNoAuth);
  CHECK(server.run("EXEC") == "-EXECABORT Transaction discarded because of: NOAUTH Authentication required.\r\n");
  CHECK(server.run("GET") == "-ERR wrong number of arguments for 'get' command\r\n");
  CHECK(server.run("NOSUCH").starts_with("-ERR unknown command 'NOSUCH'"));
  CHECK(server.run("HELLO 3").starts_with("-NOAUTH HELLO must be called with the client already authenticated"));
  CHECK(server.run("RESET") == "+RESET\r\n");
  CHECK(server.run("QUIT") == kOk);
}

TEST_CASE("AUTH takes a password, or a user and a password") {
  TestServer server(with_password());
  CHECK(server.run("AUTH wrong") == kWrongPassword);
  CHECK(server.run("AUTH secretly") == kWrongPassword);
  CHECK(server.run("AUTH nobody secret") == kWrongPassword);
  CHECK(server.run("AUTH a b c") == "-ERR syntax error\r\n");
  CHECK(server.run("AUTH default secret") == kOk);
  CHECK(server.run("PING") == "+PONG\r\n");
  CHECK(server.run("AUTH wrong") == kWrongPassword);
  CHECK(server.run("PING") == "+PONG\r\n");
  CHECK(server.run("RESET") == "+RESET\r\n");
  CHECK(server.run("PING") == kNoAuth);
  TestServer open;
  CHECK(open.run("AUTH x").starts_with("-ERR AUTH <password> called without any password configured"));
  CHECK(open.run("AUTH default anything") == kOk);
}

TEST_CASE("passwords are kept out of the slow log and of MONITOR") {
  magpie::config::Settings settings = with_password();
  settings.slowlog_log_slower_than = 0;
  TestServer server(settings);
  (void)server.run("AUTH secret");
  (void)server.run_as(1, "HELLO 3 SETNAME me AUTH default secret");
  const auto entries = server.state().slow_commands.newest(10);
  REQUIRE(entries.size() == 2);
  CHECK(entries[1].arguments == std::vector<std::string>{"AUTH", "(redacted)"});
  CHECK(entries[0].arguments ==
        std::vector<std::string>{"HELLO", "3", "SETNAME", "me", "AUTH", "(redacted)", "(redacted)"});
  (void)server.run_as(1, "MONITOR");
  (void)server.run("AUTH default secret");
  REQUIRE(server.monitor_lines.size() == 1);
  CHECK(server.monitor_lines[0].ends_with("\"AUTH\" \"(redacted)\" \"(redacted)\""));
}

TEST_CASE("HELLO changes the protocol and tells what this is") {
  TestServer server;
  const std::string about =
      "$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.4\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n"
      "$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";
  CHECK(server.run("HELLO 3 SETNAME me") == "%7\r\n" + about);
  CHECK(server.run("GET none") == "_\r\n");
  CHECK(server.run("CLIENT GETNAME") == "$2\r\nme\r\n");
  CHECK(server.run("HELLO") == "%7\r\n" + about);
  CHECK(server.run("HELLO 2").starts_with("*14\r\n"));
  CHECK(server.run("GET none") == "$-1\r\n");
}

TEST_CASE("HELLO names its mistakes") {
  TestServer server;
  CHECK(server.run("HELLO 4") == "-NOPROTO unsupported protocol version\r\n");
  CHECK(server.run("HELLO x") == "-ERR Protocol version is not an integer or out of range\r\n");
  CHECK(server.run("HELLO 3 AUTH default") == "-ERR Syntax error in HELLO option 'AUTH'\r\n");
  CHECK(server.run({"HELLO", "3", "SETNAME", "a b"}) ==
        "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
  CHECK(server.run("GET none") == "$-1\r\n");
}

TEST_CASE("RESET brings a connection back to its first state") {
  TestServer server;
  (void)server.run("HELLO 3 SETNAME me");
  (void)server.run("SELECT 5");
  (void)server.run("CLIENT NO-TOUCH ON");
  (void)server.run("CLIENT NO-EVICT ON");
  (void)server.run("MONITOR");
  (void)server.run("CLIENT REPLY OFF");
  CHECK(server.state().monitors.load() == 1);
  CHECK(server.run("RESET") == "+RESET\r\n");
  CHECK(server.state().monitors.load() == 0);
  const std::string info = server.run("CLIENT INFO");
  for (const char* field : {" name= ", " flags=N ", " db=0 ", " resp=2 "}) {
    CAPTURE(field);
    CHECK(info.find(field) != std::string::npos);
  }
}

TEST_CASE("SELECT takes the numbers of the databases there are") {
  TestServer server;
  CHECK(server.run("SELECT 15") == kOk);
  CHECK(server.run("SELECT 16") == "-ERR DB index is out of range\r\n");
  CHECK(server.run("SELECT -1") == "-ERR DB index is out of range\r\n");
  CHECK(server.run("SELECT x") == "-ERR value is not an integer or out of range\r\n");
  CHECK(server.run("SELECT 3000000000") ==
        "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n");
}

TEST_CASE("nothing that a client sends behind SHUTDOWN is executed") {
  TestServer server;
  CHECK(server.send("SET a 1\r\nSHUTDOWN NOSAVE\r\nSET b 2\r\nSHUTDOWN\r\n") == "+OK\r\n");
  CHECK(server.shutdowns == 1);
  CHECK(server.send("SET c 3\r\n").empty());
  magpie::OutputBuffer out;
  server.dispatcher().finish_wait(server.client(), out, true);
  CHECK(out.empty());
  CHECK(server.send("SET d 4\r\n").empty());
  CHECK(server.run_as(1, "EXISTS a b c d") == ":1\r\n");
  CHECK(server.run_as(1, "CLIENT LIST ID 1").find(" flags=b ") != std::string::npos);
}

TEST_CASE("an unknown command is shown in part") {
  TestServer server;
  const std::string long_name(200, 'n');
  CHECK(server.run({long_name}) ==
        "-ERR unknown command '" + std::string(128, 'n') + "', with args beginning with: \r\n");
  CHECK(server.run({std::string_view("a\0b", 3), std::string_view("c\r\nd", 4)}) ==
        "-ERR unknown command 'a', with args beginning with: 'c  d' \r\n");
}

TEST_CASE("HTTP cuts the connection off, whatever the state, and is told of once a minute") {
  TestServer server(with_password());
  const auto cut_off = [&](magpie::ByteView bytes) {
    magpie::OutputBuffer out;
    magpie::resp::ParseCursor progress;
    server.client().ending = magpie::server::Ending::None;
    const auto outcome = server.dispatcher().run(server.client(), bytes, progress, out, server.now());
    return outcome.state == magpie::server::Dispatcher::State::CutOff;
  };
  CHECK(cut_off("POST / HTTP/1.1\r\nPING\r\n"));
  CHECK(cut_off("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  CHECK_FALSE(cut_off("GET / HTTP/1.1\r\n"));
  server.run("AUTH secret");
  server.run("MULTI");
  CHECK(cut_off("*1\r\n$5\r\nhOST:\r\n"));
  REQUIRE(server.log_lines.size() == 1);
  CHECK(server.log_lines[0].starts_with("Possible SECURITY ATTACK detected"));
  server.advance(60'001);
  CHECK(cut_off("post\r\n"));
  CHECK(server.log_lines.size() == 2);
}
