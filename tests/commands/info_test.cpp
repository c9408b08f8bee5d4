#include <doctest/doctest.h>

#include <string>

#include "server/commands/info.h"
#include "server/engine/memory.h"
#include "tests/commands/test_server.h"

using magpie::commands::human_bytes;
using magpie::testing::TestServer;

namespace {

/// The value of a field in an INFO reply, or "(none)".
std::string field(const std::string& reply, const std::string& name) {
  const std::size_t at = reply.find("\r\n" + name + ":");
  if (at == std::string::npos) return "(none)";
  const std::size_t start = at + 2 + name.size() + 1;
  return reply.substr(start, reply.find("\r\n", start) - start);
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("INFO shows the default sections, and those that are asked for, once each") {
  TestServer server;
  CHECK(count(server.run("INFO"), "# ") == 11);
  CHECK(count(server.run("INFO default"), "# ") == 11);
  CHECK(count(server.run("INFO all"), "# ") == 13);
  CHECK(count(server.run("INFO EVERYTHING"), "# ") == 13);
  CHECK(count(server.run("INFO clients server clients"), "# ") == 2);
  CHECK(server.run("INFO keyspace") == "$12\r\n# Keyspace\r\n\r\n");
  CHECK(server.run("INFO nosuch") == "$0\r\n\r\n");
  CHECK(server.run("INFO commandstats default").find("# Commandstats") != std::string::npos);
}

TEST_CASE("INFO server says which version it is") {
  TestServer server;
  const std::string reply = server.run("INFO server");
  CHECK(field(reply, "redis_version") == "7.2.4");
  CHECK(field(reply, "server_name") == "magpie");
  CHECK(field(reply, "redis_mode") == "standalone");
  server.advance(90'000'000);
  CHECK(field(server.run("INFO server"), "uptime_in_seconds") == "90000");
  CHECK(field(server.run("INFO server"), "uptime_in_days") == "1");
}

TEST_CASE("INFO server has a row for each kind of socket that is listened on") {
  magpie::config::Settings settings;
  settings.bind = {"127.0.0.1", "-::1"};
  settings.unixsocket = "/run/magpie.sock";
  TestServer server(settings);
  CHECK(field(server.run("INFO server"), "listener0") == "(none)");
  server.state().tcp_port = 6379;
  const std::string reply = server.run("INFO server");
  CHECK(field(reply, "listener0") == "name=tcp,bind=127.0.0.1,bind=-::1,port=6379");
  CHECK(field(reply, "listener1") == "name=unix,bind=/run/magpie.sock");
  CHECK(field(TestServer().run("INFO server"), "listener1") == "(none)");
}

TEST_CASE("INFO keyspace counts keys and expiries of each database") {
  TestServer server;
  server.run("SET a 1");
  server.run("SET b 2 PX 5000");
  server.run("SELECT 3");
  server.run("SET c 3");
  const std::string reply = server.run("INFO keyspace");
  CHECK(field(reply, "db0").starts_with("keys=2,expires=1,avg_ttl="));
  CHECK(field(reply, "db3") == "keys=1,expires=0,avg_ttl=0");
  CHECK(field(reply, "db1") == "(none)");
}

TEST_CASE("INFO works inside a transaction, where all locks are held") {
  TestServer server;
  server.run("MULTI");
  server.run("INFO everything");
  server.run("MEMORY STATS");
  const std::string reply = server.run("EXEC");
  CHECK(reply.starts_with("*2\r\n"));
  CHECK(field(reply, "connected_clients") == "1");
}

TEST_CASE("used_memory is what maxmemory counts and the clients' buffers") {
  TestServer server;
  server.state().startup_data = 1'000;
  server.state().startup_memory = 5'000'000;
  server.run("SET key value");
  const std::string reply = server.run("INFO memory");
  const std::int64_t used = std::stoll(field(reply, "used_memory"));
  const std::int64_t clients = std::stoll(field(reply, "mem_clients_normal"));
  CHECK(clients > 0);
  CHECK(field(reply, "used_memory_startup") == "1000");
  CHECK(field(reply, "mem_not_counted_for_evict") == std::to_string(clients));
  CHECK(used == magpie::engine::used_memory() + clients);
  // An empty node is not shown as fragmented: what the process took at its start is counted there.
  CHECK(std::stod(field(reply, "mem_fragmentation_ratio")) * static_cast<double>(used + 4'999'000) ==
        doctest::Approx(std::stod(field(reply, "used_memory_rss"))).epsilon(0.05));
  CHECK(std::stoll(field(reply, "used_memory_peak")) >= used);
  CHECK(std::stoll(field(reply, "used_memory_rss")) > 0);
  CHECK(field(reply, "maxmemory_policy") == "noeviction");
}

TEST_CASE("CONFIG RESETSTAT starts the counters anew") {
  TestServer server;
  server.run("SET key value");
  server.run("GET key");
  server.run("GET none");
  server.run("NOSUCH");
  server.run("CONFIG RESETSTAT");
  server.run("GET key");
  server.run("GET");
  const std::string reply = server.run("INFO all");
  CHECK(field(reply, "keyspace_hits") == "1");
  CHECK(field(reply, "keyspace_misses") == "0");
  CHECK(field(reply, "total_error_replies") == "1");
  CHECK(field(reply, "errorstat_ERR") == "count=1");
  CHECK(field(reply, "cmdstat_set") == "(none)");
  CHECK(field(reply, "cmdstat_get").starts_with("calls=1,usec="));
  CHECK(field(reply, "cmdstat_get").ends_with("rejected_calls=1,failed_calls=0"));
  CHECK(field(reply, "latency_percentiles_usec_get").starts_with("p50="));
  CHECK(field(reply, "latency_percentiles_usec_set") == "(none)");
}

TEST_CASE("INFO and LATENCY tell how late keys expire") {
  TestServer server;
  const std::string none = "p50=0.000,p99=0.000,p99.9=0.000,max=0.000";
  CHECK(field(server.run("INFO stats"), "expired_lag_percentiles_msec") == none);
  CHECK(server.run("LATENCY HISTOGRAM expire-lag") == "*0\r\n");
  server.run("SET key value PX 10");
  server.advance(10 + 32);
  CHECK(server.run("EXISTS key") == ":0\r\n");
  CHECK(field(server.run("INFO stats"), "expired_lag_percentiles_msec") ==
        "p50=32.000,p99=32.000,p99.9=32.000,max=32.000");
  CHECK(server.run("LATENCY HISTOGRAM Expire-Lag nosuch") ==
        "*2\r\n$10\r\nExpire-Lag\r\n*4\r\n$5\r\ncalls\r\n:1\r\n$14\r\nhistogram_usec\r\n"
        "*2\r\n:33554\r\n:1\r\n");
  CHECK(server.run("LATENCY HISTOGRAM").find("expire") == std::string::npos);
  server.run("CONFIG RESETSTAT");
  CHECK(field(server.run("INFO stats"), "expired_lag_percentiles_msec") == none);
}

TEST_CASE("INFO and LATENCY tell how long background work took at a time") {
  TestServer server;
  for (int i = 0; i < 9'998; ++i) server.state().background_slices.add(20'000);
  server.state().background_slices.add(90'000);
  server.state().background_slices.add(300'000);
  server.state().page_slices.add(1'500'000);
  const std::string reply = server.run("INFO stats");
  CHECK(field(reply, "background_slices") == "10000");
  CHECK(field(reply, "background_slice_percentiles_usec") == "p50=20.479,p99=20.479,p99.99=90.111,max=300.000");
  CHECK(field(reply, "page_slices") == "1");
  CHECK(field(reply, "page_slice_percentiles_usec").ends_with("max=1500.000"));
  CHECK(server.run("LATENCY HISTOGRAM background-slice page-slice").starts_with("*4\r\n$16\r\nbackground-slice\r\n"));
  server.run("CONFIG RESETSTAT");
  CHECK(field(server.run("INFO stats"), "background_slices") == "0");
  CHECK(field(server.run("INFO stats"), "page_slices") == "0");
}

TEST_CASE("INFO memory tells what a key costs") {
  TestServer server;
  CHECK(field(server.run("INFO memory"), "mem_bytes_per_key") == "0");
  CHECK(field(server.run("INFO memory"), "mem_overhead_per_key") == "0.0");
  server.state().startup_data = magpie::engine::used_memory();
  for (int i = 0; i < 20'000; ++i) server.run("SET key:" + std::to_string(i) + " " + std::string(50, 'v'));
  const std::string reply = server.run("INFO memory");
  const double overhead = std::stod(field(reply, "mem_overhead_per_key"));
  CHECK(overhead > 10);
  CHECK(overhead < 80);  // so few keys share the pages of 64 tables
  const std::int64_t bytes = std::stoll(field(reply, "mem_bytes_per_key"));
  CHECK(bytes > 70);
  CHECK(bytes < 60 + 80);
  const std::string stats = server.run("MEMORY STATS");
  CHECK(stats.find("$18\r\nkeys.bytes-per-key\r\n:" + std::to_string(bytes) + "\r\n") != std::string::npos);
  CHECK(stats.find("keys.overhead-per-key\r\n") != std::string::npos);
}

TEST_CASE("changes are counted as in Redis, and CONFIG RESETSTAT leaves them") {
  TestServer server;
  const auto changes = [&](const char* command) {
    const auto count = [&] { return std::stoi(field(server.run("INFO persistence"), "rdb_changes_since_last_save")); };
    const int before = count();
    server.run(command);
    return count() - before;
  };
  CHECK(changes("SET k v") == 1);
  CHECK(changes("SET k v NX") == 0);
  CHECK(changes("GET k") == 0);
  CHECK(changes("MSET a 1 b 2 c 3") == 3);
  CHECK(changes("DEL a b none") == 2);
  CHECK(changes("EXPIRE k 100") == 1);
  CHECK(changes("GETEX k PERSIST") == 1);
  CHECK(changes("PERSIST k") == 0);
  CHECK(changes("RENAME k moved") == 1);
  CHECK(changes("MOVE moved 1") == 1);
  CHECK(changes("SWAPDB 0 1") == 1);
  CHECK(changes("CONFIG RESETSTAT") == 0);
  CHECK(changes("FLUSHALL") == 2);
  CHECK(changes("FLUSHALL") == 0);
  CHECK(changes("SET short v PX 1") == 1);
  server.advance(2);
  CHECK(changes("EXISTS short") == 0);  // an expiry is no change that a command made
}

TEST_CASE("bytes are shown as Redis shows them") {
  CHECK(human_bytes(0) == "0B");
  CHECK(human_bytes(1023) == "1023B");
  CHECK(human_bytes(1536) == "1.50K");
  CHECK(human_bytes(std::int64_t{3} << 20) == "3.00M");
  CHECK(human_bytes((std::int64_t{2} << 30) + (std::int64_t{1} << 28)) == "2.25G");
}
