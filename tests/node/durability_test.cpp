// Writes that are answered once replicas have them.
#include <doctest/doctest.h>

#include <string>

#include "tests/node/pair.h"

using magpie::engine::kAllStripes;
using magpie::testing::Client;
using magpie::testing::eventually;
using magpie::testing::follow;
using magpie::testing::TestNode;
using magpie::testing::with_threads;

namespace {

const std::string kUnknown = "-UNKNOWN write not confirmed, it may still take effect\r\n";

}  // namespace

TEST_CASE("in the mode semi a write is answered once a replica has it, and reads are not held up") {
  TestNode leader(with_threads(2));
  TestNode follower(with_threads(2));
  follow(follower, leader);
  Client client(leader);
  CHECK(client.run("CONFIG SET replication-mode semi") == "+OK\r\n");
  Client reader(follower);
  for (int i = 0; i < 100; ++i) {
    CHECK(client.run("SET key " + std::to_string(i)) == "+OK\r\n");
    CHECK(reader.run("GET key").ends_with("\r\n" + std::to_string(i) + "\r\n"));
  }
  client.send("GET key\r\nSET a 1\r\nINCR a\r\nGET a\r\nMULTI\r\nINCR a\r\nGET a\r\nEXEC\r\nDEL missing\r\nPING\r\n");
  for (const char* reply : {"$2\r\n99\r\n", "+OK\r\n", ":2\r\n", "$1\r\n2\r\n", "+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n",
                            "*2\r\n:3\r\n$1\r\n3\r\n", ":0\r\n", "+PONG\r\n"}) {
    CHECK(client.reply() == reply);
  }
  client.send("SET a 1\r\nQUIT\r\n");
  CHECK(client.reply() == "+OK\r\n");
  CHECK(client.reply() == "+OK\r\n");
  CHECK(client.closed());
}

TEST_CASE("a write that no replica confirms in time is answered by UNKNOWN, and has happened here") {
  TestNode leader(with_threads(2));
  TestNode follower(with_threads(2));
  follow(follower, leader);
  Client client(leader);
  CHECK(client.run("CONFIG SET replication-timeout 30") == "+OK\r\n");
  CHECK(client.run("CLIENT DURABILITY SEMI") == "+OK\r\n");
  CHECK(client.run("SET a 1") == "+OK\r\n");
  {
    const auto held = follower.state().keyspace.lock(kAllStripes);  // it cannot apply anything
    client.send("GET a\r\nSET a 2\r\nGET a\r\nMSET b 1 c 2\r\nPING\r\n");
    CHECK(client.reply() == "$1\r\n1\r\n");
    CHECK(client.reply() == kUnknown);
    CHECK(client.reply() == "$1\r\n2\r\n");
    CHECK(client.reply() == kUnknown);
    CHECK(client.reply() == "+PONG\r\n");
    client.send("MULTI\r\nSET a 3\r\nEXEC\r\n");
    CHECK(client.reply() == "+OK\r\n");
    CHECK(client.reply() == "+QUEUED\r\n");
    CHECK(client.reply() == kUnknown);
    CHECK(Client(leader).run("SET other 1") == "+OK\r\n");  // which did not ask for it
    client.send("SET a 4\r\nWAIT 1 1\r\n");
    CHECK(client.reply() == kUnknown);
    CHECK(client.reply() == ":0\r\n");
  }
  CHECK(client.run("SET a 5") == "+OK\r\n");
  CHECK(Client(follower).run("GET a") == "$1\r\n5\r\n");
  CHECK(client.run("INFO errorstats").find("errorstat_UNKNOWN:count=4") != std::string::npos);
}

TEST_CASE("as many replicas have to confirm as were asked for") {
  TestNode leader(with_threads(2));
  TestNode first(with_threads(1));
  TestNode second(with_threads(2));
  follow(first, leader);
  Client client(leader);
  CHECK(client.run("CONFIG SET replication-timeout 20") == "+OK\r\n");
  CHECK(client.run("CLIENT DURABILITY SEMI 2") == "+OK\r\n");
  CHECK(client.run("SET a 1") == kUnknown);
  follow(second, leader);
  CHECK(client.run("CONFIG SET replication-timeout 5000") == "+OK\r\n");
  CHECK(client.run("SET a 2") == "+OK\r\n");
  CHECK(Client(first).run("GET a") == "$1\r\n2\r\n");
  CHECK(Client(second).run("GET a") == "$1\r\n2\r\n");
  CHECK(client.run("CLIENT DURABILITY ASYNC") == "+OK\r\n");
  CHECK(client.run("CLIENT DURABILITY DEFAULT") == "+OK\r\n");
  CHECK(client.run("CLIENT DURABILITY SEMI 0").starts_with("-ERR"));
  CHECK(client.run("CLIENT DURABILITY SOME") == "-ERR syntax error\r\n");
  CHECK(client.run("CLIENT DURABILITY ISR").starts_with("-ERR ISR needs"));
}

TEST_CASE("who has written here can read it on a follower, by CLIENT LSN and CLIENT AWAIT") {
  TestNode leader(with_threads(2));
  TestNode follower(with_threads(2));
  follow(follower, leader);
  Client client(leader);
  Client reader(follower);
  for (int i = 0; i < 50; ++i) {
    client.send("SET key " + std::to_string(i) + "\r\nCLIENT LSN\r\n");
    CHECK(client.reply() == "+OK\r\n");
    const std::string told = client.reply();
    REQUIRE(told.starts_with("*3\r\n:0\r\n:"));
    const std::size_t term = told.find(':', 7) + 1;
    const std::size_t lsn = told.find(':', term) + 1;
    const std::string place =
        told.substr(term, told.find('\r', term) - term) + " " + told.substr(lsn, told.find('\r', lsn) - lsn);
    CHECK(reader.run("CLIENT AWAIT " + place + " 5000") == ":1\r\n");
    CHECK(reader.run("GET key").ends_with("\r\n" + std::to_string(i) + "\r\n"));
    if (i == 0) CHECK(reader.run("CLIENT AWAIT 1 " + place.substr(place.find(' ') + 1) + " 1") == ":0\r\n");
  }
  CHECK(reader.run("CLIENT AWAIT 1 99999999 1") == ":0\r\n");
  const std::string id = magpie::testing::id_of(reader);
  reader.send("CLIENT AWAIT 1 99999999 0\r\n");
  CHECK(eventually([&] { return Client(follower).run("CLIENT UNBLOCK " + id) == ":1\r\n"; }));
  CHECK(reader.reply() == ":0\r\n");
}

TEST_CASE("without any replica a write is not confirmed, and reads are answered at once") {
  TestNode leader(with_threads(2));
  Client client(leader);
  CHECK(client.run("CONFIG SET replication-timeout 20") == "+OK\r\n");
  CHECK(client.run("CLIENT DURABILITY SEMI") == "+OK\r\n");
  CHECK(client.run("SET a 1") == kUnknown);
  CHECK(client.run("CONFIG SET replication-timeout 60000") == "+OK\r\n");
  client.send("PING\r\nGET a\r\nPING\r\nDEL missing\r\nPING\r\n");
  for (const char* reply : {"+PONG\r\n", "$1\r\n1\r\n", "+PONG\r\n", ":0\r\n", "+PONG\r\n"})
    CHECK(client.reply() == reply);
}

TEST_CASE("who wants no replies gets none, held or not") {
  TestNode leader(with_threads(2));
  TestNode follower(with_threads(2));
  follow(follower, leader);
  Client client(leader);
  client.send(
      "CLIENT DURABILITY SEMI\r\nPING\r\nCLIENT REPLY OFF\r\nNOSUCH\r\nSET a 1\r\nCLIENT REPLY ON\r\nSET a 2\r\n"
      "CLIENT REPLY SKIP\r\nSET a 3\r\nGET a\r\n");
  for (const char* reply : {"+OK\r\n", "+PONG\r\n", "+OK\r\n", "+OK\r\n", "$1\r\n3\r\n"})
    CHECK(client.reply() == reply);
}

TEST_CASE("a write keeps the durability it was sent with, whatever comes behind it") {
  TestNode leader(with_threads(2));
  Client client(leader);
  CHECK(client.run("CONFIG SET replication-timeout 30") == "+OK\r\n");
  client.send(
      "CLIENT DURABILITY SEMI 1\r\nSET a 1\r\nCLIENT DURABILITY DEFAULT\r\nSET b 1\r\n"
      "CLIENT DURABILITY SEMI\r\nSET c 1\r\nCLIENT DURABILITY ASYNC\r\nPING\r\n");
  const std::string ok = "+OK\r\n";
  for (const std::string& reply : {ok, kUnknown, ok, ok, ok, kUnknown, ok, std::string("+PONG\r\n")}) {
    CHECK(client.reply() == reply);
  }
  CHECK(client.run("CLIENT DURABILITY DEFAULT") == ok);
  client.send("CONFIG SET replication-mode semi\r\nSET a 2\r\nCONFIG SET replication-mode async\r\n");
  for (const std::string& reply : {ok, kUnknown, ok}) CHECK(client.reply() == reply);
  client.send("MULTI\r\nCLIENT DURABILITY SEMI\r\nEXEC\r\n");
  CHECK(client.reply() == ok);
  CHECK(client.reply() == "+QUEUED\r\n");
  CHECK(client.reply().find("-ERR CLIENT DURABILITY") != std::string::npos);
}
