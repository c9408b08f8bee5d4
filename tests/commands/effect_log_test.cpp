// What commands leave in the log.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/replication/replication.h"
#include "tests/commands/test_server.h"
#include "tests/replication/log_reader.h"

using magpie::testing::effects_of;
using magpie::testing::read_log;
using magpie::testing::Records;
using magpie::testing::replay;
using magpie::testing::TestServer;

namespace engine = magpie::engine;

namespace {

constexpr std::size_t kCapacity = std::size_t{8} << 20;

void keep_log(TestServer& server) { server.state().replication.configure({.always = true, .log_capacity = kCapacity}); }

Records records_of(TestServer& server) {
  const auto log = server.state().replication.log();
  return read_log(*log, log->begin());
}

/// How many effects each record has that the command leaves.
std::vector<std::size_t> effects_by(TestServer& server, const std::string& command) {
  const std::size_t before = records_of(server).size();
  server.run(command);
  std::vector<std::size_t> effects;
  const Records records = records_of(server);
  for (std::size_t i = before; i < records.size(); ++i) effects.push_back(effects_of(records[i]));
  return effects;
}

using Effects = std::vector<std::size_t>;

}  // namespace

TEST_CASE("what a command changes is one record, whatever number of keys it has") {
  TestServer server;
  keep_log(server);
  CHECK(effects_by(server, "SET a 1") == Effects{1});
  CHECK(effects_by(server, "GET a").empty());
  CHECK(effects_by(server, "SET a 2 NX").empty());
  CHECK(effects_by(server, "MSET a 1 b 2 c 3") == Effects{3});
  CHECK(effects_by(server, "RENAME a d") == Effects{2});
  CHECK(effects_by(server, "DEL b c missing") == Effects{2});
  CHECK(effects_by(server, "RPUSH l 1 2 3") == Effects{1});
  CHECK(effects_by(server, "LMOVE l m LEFT RIGHT") == Effects{2});
  CHECK(effects_by(server, "INCR d") == Effects{1});
  CHECK(effects_by(server, "FLUSHALL") == Effects{1});
}

TEST_CASE("a transaction is one record, and none if it is refused") {
  TestServer server;
  keep_log(server);
  server.run("MULTI");
  for (const char* command : {"SET a 1", "MSET b 2 c 3", "GET a", "RPUSH l x", "INCR l", "DEL b"}) server.run(command);
  CHECK(effects_by(server, "EXEC") == Effects{5});
  server.run("WATCH a");
  server.run_as(1, "SET a 2");
  server.run("MULTI");
  server.run("SET a 3");
  CHECK(effects_by(server, "EXEC").empty());
  CHECK(server.run("GET a") == "$1\r\n2\r\n");
}

TEST_CASE("the log, replayed, gives the same keyspace") {
  TestServer server;
  keep_log(server);
  server.run("SET k v PX 50");
  server.run("MSET a 1 b 2");
  server.run("RPUSH l 1 2 3 4");
  server.run("LTRIM l 1 2");
  server.run("APPEND a 23");
  server.run("SELECT 3");
  server.run("SET other db EX 100");
  server.run("SWAPDB 3 4");
  server.advance(100);
  server.run("SELECT 0");
  CHECK(server.run("GET k") == "$-1\r\n");
  engine::Keyspace again({16, true});
  replay(records_of(server), again, server.now());
  CHECK(again.digest() == server.keyspace().digest());
  CHECK(again.keys(magpie::Db{0}) == 3);
}

TEST_CASE("INFO tells where the log is") {
  TestServer server;
  const auto field = [&](const std::string& name) {
    const std::string info = server.run("INFO replication");
    const std::size_t at = info.find(name + ":") + name.size() + 1;
    return std::stoull(info.substr(at));
  };
  CHECK(field("repl_backlog_active") == 0);
  const std::uint64_t start = field("master_repl_offset");
  server.run("SET a 1");
  CHECK(field("master_repl_offset") == start);  // nobody reads it
  keep_log(server);
  CHECK(field("repl_backlog_active") == 1);
  CHECK(field("repl_backlog_first_byte_offset") == start);
  server.run("SET a 1");
  const std::uint64_t end = field("master_repl_offset");
  CHECK(end > start);
  CHECK(field("repl_backlog_histlen") == end - start);
  server.state().replication.configure({});
  server.run("SET a 1");
  CHECK(field("repl_backlog_active") == 0);
  CHECK(field("master_repl_offset") > end);  // not the end of what was recorded: something is missing there
}
