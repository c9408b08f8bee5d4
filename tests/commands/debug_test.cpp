#include <doctest/doctest.h>

#include "tests/commands/test_server.h"

using namespace magpie;
using testing::TestServer;

namespace {

config::Settings with_debug(config::Permission permission = config::Permission::Yes) {
  config::Settings settings;
  settings.enable_debug_command = permission;
  return settings;
}

}  // namespace

TEST_CASE("DEBUG is off unless the configuration allows it") {
  TestServer refused;
  CHECK(refused.run("DEBUG SLEEP 0") ==
        "-ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a "
        "local connection, otherwise you need to set this option in the configuration file, and then restart the "
        "server.\r\n");
  TestServer local(with_debug(config::Permission::Local));
  CHECK(local.run("DEBUG SLEEP 0") == "+OK\r\n");
  local.client(1).peer_address = "10.0.0.1:5000";
  CHECK(local.run_as(1, "DEBUG SLEEP 0").starts_with("-ERR DEBUG command not allowed."));
}

TEST_CASE("DEBUG subcommands check their arguments") {
  TestServer server(with_debug());
  CHECK(server.run("DEBUG NOSUCH") ==
        "-ERR unknown subcommand or wrong number of arguments for 'NOSUCH'. Try DEBUG HELP.\r\n");
  CHECK(server.run("DEBUG SLEEP") ==
        "-ERR unknown subcommand or wrong number of arguments for 'SLEEP'. Try DEBUG HELP.\r\n");
  CHECK(server.run("DEBUG HELP").starts_with("*"));
}

TEST_CASE("DEBUG POPULATE makes keys and leaves those that exist") {
  TestServer server(with_debug());
  server.run("SET key:1 mine");
  CHECK(server.run("DEBUG POPULATE 3") == "+OK\r\n");
  CHECK(server.run("GET key:0") == "$7\r\nvalue:0\r\n");
  CHECK(server.run("GET key:1") == "$4\r\nmine\r\n");
  CHECK(server.run("DEBUG POPULATE 1 p 3") == "+OK\r\n");
  CHECK(server.run("GET p:0") == "$3\r\nval\r\n");
  CHECK(server.run("DEBUG POPULATE 1 q 9") == "+OK\r\n");
  CHECK(server.run("GET q:0") == std::string("$9\r\nvalue:0\0\0\r\n", 15));
  CHECK(server.run("DEBUG POPULATE x") == "-ERR value is out of range, must be positive\r\n");
  CHECK(server.run("DEBUG POPULATE 1 p -1") == "-ERR value is out of range, must be positive\r\n");
}

TEST_CASE("DEBUG DIGEST is equal for equal data and zero for none") {
  TestServer one(with_debug());
  TestServer other(with_debug());
  const std::string nothing = "+" + std::string(40, '0') + "\r\n";
  CHECK(one.run("DEBUG DIGEST") == nothing);
  one.run("SET a 1");
  one.run("SET b 2");
  other.run("SET b 2");
  other.run("SET a 1");
  const std::string digest = one.run("DEBUG DIGEST");
  CHECK(digest != nothing);
  CHECK(digest == other.run("DEBUG DIGEST"));
  CHECK(one.run("DEBUG RELOAD") == "+OK\r\n");
  CHECK(one.run("DEBUG DIGEST") == digest);
  CHECK(one.run("DEBUG DIGEST-VALUE a none") == other.run("DEBUG DIGEST-VALUE a none"));
  CHECK(one.run("DEBUG DIGEST-VALUE a none").ends_with(nothing));
}

TEST_CASE("DEBUG OBJECT tells how a value is kept") {
  TestServer server(with_debug());
  server.run("SET k 300");
  const std::string reply = server.run("DEBUG OBJECT k");
  CHECK(reply.find(" refcount:1 encoding:int serializedlength:3 lru:") != std::string::npos);
  server.advance(5100);
  CHECK(server.run("DEBUG OBJECT k").find(" lru_seconds_idle:5\r\n") != std::string::npos);
  CHECK(server.run("DEBUG OBJECT none") == "-ERR no such key\r\n");
}

TEST_CASE("DEBUG STRINGMATCH-LEN and ERROR") {
  TestServer server(with_debug());
  CHECK(server.run("DEBUG STRINGMATCH-LEN a*c abc") == ":1\r\n");
  CHECK(server.run("DEBUG STRINGMATCH-LEN a*c abd") == ":0\r\n");
  CHECK(server.run("DEBUG ERROR MYERR") == "-MYERR\r\n");
}

TEST_CASE("SHUTDOWN asks the node and answers nothing") {
  TestServer server;
  CHECK(server.run("SHUTDOWN SAVE").starts_with("-ERR SHUTDOWN SAVE is not possible"));
  CHECK(server.run("SHUTDOWN SAVE NOSAVE") == "-ERR syntax error\r\n");
  CHECK(server.run("SHUTDOWN ABORT NOW") == "-ERR syntax error\r\n");
  CHECK(server.run("SHUTDOWN ABORT") == "-ERR No shutdown in progress.\r\n");
  CHECK(server.shutdowns == 0);
  CHECK(server.run("SHUTDOWN NOSAVE") == "");
  CHECK(server.shutdowns == 1);
}

TEST_CASE("commands of what is not there say so") {
  TestServer server;
  for (const char* command : {"SAVE", "BGSAVE", "BGSAVE SCHEDULE", "BGREWRITEAOF"}) {
    CHECK(server.run(command).find("keeps all data in memory") != std::string::npos);
  }
  CHECK(server.run("CLUSTER INFO") == "-ERR This instance has cluster support disabled\r\n");
  CHECK(server.run("READONLY") == "-ERR This instance has cluster support disabled\r\n");
  CHECK(server.run("REPLICAOF NO ONE") == "+OK\r\n");
  CHECK(server.run("REPLICAOF host 99999") == "-ERR Invalid master port\r\n");
  CHECK(server.run("REPLICAOF host 6379") == "+OK\r\n");
  CHECK(server.run("REPLICAOF host 6379") == "+OK Already connected to specified master\r\n");
  CHECK(server.run("SET key value") == "-READONLY You can't write against a read only replica.\r\n");
  CHECK(server.run("ROLE") == "*5\r\n$5\r\nslave\r\n$4\r\nhost\r\n:6379\r\n$7\r\nconnect\r\n:-1\r\n");
  CHECK(server.run("WAIT 0 0").starts_with("-ERR WAIT cannot be used with replica instances."));
  CHECK(server.run("REPLICAOF NO ONE") == "+OK\r\n");
  CHECK(server.run("SET key value") == "+OK\r\n");
  CHECK(server.run("MODULE LIST") == "*0\r\n");
  CHECK(server.run("MODULE LOAD x").starts_with("-ERR "));
}

TEST_CASE("LOLWUT ends with the versions") {
  TestServer server;
  CHECK(server.run("LOLWUT").ends_with("Magpie ver. 0.1.0, Redis ver. 7.2.4\n\r\n"));
  CHECK(server.run("LOLWUT VERSION 5 1000000 x") == "-ERR value is not an integer or out of range\r\n");
  CHECK(server.run("LOLWUT VERSION 5 1000000").size() < 10000);
  CHECK(server.run("LOLWUT VERSION 5 -3").starts_with("$"));
}

TEST_CASE("ACL knows one user") {
  TestServer server;
  CHECK(server.run("ACL WHOAMI") == "$7\r\ndefault\r\n");
  CHECK(server.run("ACL LIST") == "*1\r\n$34\r\nuser default on nopass ~* &* +@all\r\n");
  CHECK(server.run("ACL GETUSER nobody") == "$-1\r\n");
  CHECK(server.run("ACL CAT nosuch") == "-ERR Unknown category 'nosuch'\r\n");
  CHECK(server.run("ACL CAT transaction").starts_with("*5\r\n"));
  CHECK(server.run("ACL GENPASS 5").starts_with("$2\r\n"));
  CHECK(server.run("ACL SETUSER me on").starts_with("-ERR "));
}
