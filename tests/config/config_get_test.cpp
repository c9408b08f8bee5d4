#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "server/config/config_store.h"
#include "tests/config/oracle_defaults.h"

namespace magpie::config {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

Rows get(const ConfigStore& store, const std::vector<ByteView>& patterns) { return store.get(patterns); }

}  // namespace

TEST_CASE("CONFIG GET * names everything that Redis names") {
  const ConfigStore store{Settings{}};
  std::set<std::string> names;
  for (const auto& [name, value] : get(store, {"*"})) CHECK(names.insert(name).second);
  for (const OracleDefault& row : kOracleDefaults) CHECK_MESSAGE(names.contains(std::string(row.name)), row.name);
  CHECK(names.contains("dir"));
  CHECK_FALSE(names.contains("watchdog-period"));
}

TEST_CASE("CONFIG GET answers as Redis 7.0 does") {
  const ConfigStore store{Settings{}};
  CHECK(get(store, {"MAXMEMORY"}) == Rows{{"MAXMEMORY", "0"}});
  CHECK(get(store, {"MAXMEMORY", "maxmemory"}) == Rows{{"MAXMEMORY", "0"}});
  CHECK(get(store, {"max[m]emory"}) == Rows{{"maxmemory", "0"}});
  CHECK(get(store, {"MAX?EMORY"}) == Rows{{"maxmemory", "0"}});
  CHECK(get(store, {"maxmem"}).empty());
  CHECK(get(store, {"max\\memory"}).empty());
  CHECK(get(store, {"*read-only"}) == Rows{{"replica-read-only", "yes"}, {"slave-read-only", "yes"}});
  CHECK(get(store, {"maxmemory", "maxmemory*", "maxmemory", "nosuch"}).size() == 5);
  CHECK(get(store, {"watchdog-period"}) == Rows{{"watchdog-period", "0"}});
  CHECK(get(store, {"*watchdog*"}).empty());
  CHECK(get(store, {}).empty());
}

TEST_CASE("CONFIG GET prints values in Redis's form") {
  ConfigStore store{Settings{}};
  const auto shown = [&](ByteView name, ByteView value) {
    const std::pair<ByteView, ByteView> pair{name, value};
    const auto changed = store.set({&pair, 1});
    return changed ? get(store, {name}).front().second : changed.error();
  };
  // Captured from redis-server 7.0.15.
  CHECK(shown("maxmemory", "10MB") == "10485760");
  CHECK(shown("client-output-buffer-limit", "normal 10mb 5mb 3") ==
        "normal 10485760 5242880 3 slave 268435456 67108864 60 pubsub 33554432 8388608 60");
  CHECK(shown("client-output-buffer-limit", "replica 10mb 5mb 3 normal 0 0 0") ==
        "normal 0 0 0 slave 10485760 5242880 3 pubsub 33554432 8388608 60");
  CHECK(shown("client-output-buffer-limit", "normal 0 0 0 normal 1 1 1") ==
        "normal 1 1 1 slave 10485760 5242880 3 pubsub 33554432 8388608 60");
  CHECK(shown("notify-keyspace-events", "KEA") == "AKE");
  CHECK(shown("notify-keyspace-events", "Elg") == "glE");
  CHECK(shown("notify-keyspace-events", "g") == "g");
  CHECK(shown("notify-keyspace-events", "Kg$lshzxetdm") == "AKm");
  // Redis 7.0 forgets the n here.
  CHECK(shown("notify-keyspace-events", "KAn") == "AnK");
  CHECK(shown("notify-keyspace-events", "").empty());
  CHECK(shown("latency-tracking-info-percentiles", "50 99.99 0.001 1e1") == "50 99.99 0.001 10");
  CHECK(shown("latency-tracking-info-percentiles", "0.1234567891234") == "0.123457");
  CHECK(shown("latency-tracking-info-percentiles", "").empty());
  CHECK(shown("maxmemory-clients", "50%") == "50%");
  CHECK(shown("maxmemory-clients", "0%") == "0");
  CHECK(shown("oom-score-adj-values", "1  3") == "1 0 3");
  CHECK(shown("shutdown-on-sigint", "save force") == "save force");
  CHECK(shown("shutdown-on-sigint", "default now") == "now");
  CHECK(shown("save", "900 1 300 10") == "900 1 300 10");
  CHECK(shown("save", "3600 0") == "3600 0");
  CHECK(shown("save", "").empty());
  CHECK(shown("hz", "1000") == "500");
  CHECK(shown("hz", "0") == "1");
  CHECK(shown("bind", "127.0.0.1 -::1") == "127.0.0.1 -::1");
  CHECK(shown("maxmemory-policy", "ALLKEYS-LRU") == "allkeys-lru");
}

}  // namespace magpie::config
