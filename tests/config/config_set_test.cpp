#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "server/config/config_store.h"
#include "server/config/option_table.h"
#include "tests/config/oracle_errors.h"

namespace magpie::config {
namespace {

using Pair = std::pair<ByteView, ByteView>;

std::string set(ConfigStore& store, const std::vector<Pair>& pairs,
                ConfigStore::Caller caller = ConfigStore::Caller::Remote) {
  const auto changed = store.set(pairs, caller);
  return changed ? "OK" : changed.error();
}

std::string failed(const std::string& name, const std::string& why) {
  return "ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + why;
}

}  // namespace

TEST_CASE("wrong values get the words of Redis 7.0") {
  ConfigStore store{Settings{}};
  for (const OracleError& row : kOracleErrors) {
    const std::string name(row.name);
    // Ours has a level more (from 7.2), does not look at host names it never uses, and takes activedefrag and the
    // options of the TLS it does not have.
    if (name == "loglevel" || name == "cluster-announce-hostname" || (name == "activedefrag" && row.value == "Yes") ||
        row.reply.starts_with("Unable to update TLS")) {
      continue;
    }
    CAPTURE(name);
    CHECK(set(store, {{row.name, row.value}}) == failed(name, std::string(row.reply)));
  }
}

TEST_CASE("the order in which Redis 7.0 finds mistakes") {
  ConfigStore store{Settings{}};
  const std::string unknown = "ERR Unknown option or number of arguments for CONFIG SET - ";
  CHECK(set(store, {{"nosuch", "1"}}) == unknown + "'nosuch'");
  CHECK(set(store, {{"nosuch", "1"}, {"alsono", "2"}}) == unknown + "'nosuch'");
  CHECK(set(store, {{"maxmemory", "abc"}, {"nosuch", "1"}}) == unknown + "'nosuch'");
  CHECK(set(store, {{"include", "x"}}) == unknown + "'include'");
  CHECK(set(store, {{"databases", "3"}, {"nosuch", "1"}}) == failed("databases", "can't set immutable config"));
  CHECK(set(store, {{"databases", "3"}, {"maxmemory", "abc"}}) == failed("databases", "can't set immutable config"));
  CHECK(set(store, {{"maxmemory", "abc"}, {"databases", "3"}}) == failed("databases", "can't set immutable config"));
  CHECK(set(store, {{"maxmemory", "1"}, {"maxmemory", "2"}}) == failed("maxmemory", "duplicate parameter"));
  CHECK(set(store, {{"maxmemory", "abc"}, {"maxmemory", "2"}}) == failed("maxmemory", "duplicate parameter"));
  CHECK(set(store, {{"maxmemory", "1"}, {"MAXMEMORY", "2"}}) == failed("MAXMEMORY", "duplicate parameter"));
  CHECK(set(store, {{"dir", "/tmp"}, {"databases", "1"}}) == failed("dir", "can't set protected config"));
  CHECK(set(store, {{"slave-read-only", "yes"}, {"replica-read-only", "no"}}) == "OK");
  CHECK_FALSE(store.current()->replica_read_only);
}

TEST_CASE("dir must be a directory that exists, and is kept as an absolute path") {
  Settings settings;
  settings.enable_protected_configs = Permission::Yes;
  ConfigStore store{settings};
  CHECK(set(store, {{"dir", "/no/such/folder"}}) == failed("dir", "No such file or directory"));
  CHECK(set(store, {{"dir", ""}}) == failed("dir", "No such file or directory"));
  CHECK(set(store, {{"dir", "/proc/self/exe"}}) == failed("dir", "Not a directory"));
  CHECK(set(store, {{"dir", "/proc/../"}}) == "OK");
  CHECK(store.get(std::array{ByteView("dir")}).front().second == "/");
}

TEST_CASE("more words of Redis 7.0") {
  ConfigStore store{Settings{}};
  const auto check = [&](const char* name, const char* value, const char* why) {
    CAPTURE(value);
    CHECK(set(store, {{name, value}}) == failed(name, why));
  };
  check("save", "900 1 300", "Invalid save parameters");
  check("save", " 900   1 ", "Invalid save parameters");
  check("save", "1 1 ", "Invalid save parameters");
  check("save", "0 0", "Invalid save parameters");
  check("save", "'1' 2", "Invalid save parameters");
  check("client-output-buffer-limit", "normal 1 5mb", "Wrong number of arguments in buffer limit configuration.");
  check("client-output-buffer-limit", "master 1 1 1", "Invalid client class specified in buffer limit configuration.");
  check("client-output-buffer-limit", "normal 1 0 3.5",
        "Error in hard, soft or soft_seconds setting in buffer limit configuration.");
  check("latency-tracking-info-percentiles", "50 abc", "Invalid latency-tracking-info-percentiles parameters");
  check("latency-tracking-info-percentiles", "99  50", "Invalid latency-tracking-info-percentiles parameters");
  check("latency-tracking-info-percentiles", "nan", "Invalid latency-tracking-info-percentiles parameters");
  check("latency-tracking-info-percentiles", "50 101",
        "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
  check("maxmemory-clients", "101%", "percentage argument must be less or equal to 100");
  check("maxmemory-clients", "5.5%", "argument must be a memory or percent value");
  check("maxmemory-clients", "-5", "argument must be a memory or percent value");
  check("maxmemory", "0x10", "argument must be a memory value");
  check("maxmemory", " 10", "argument must be a memory value");
  check("maxmemory", "1.5mb", "argument must be a memory value");
  check("timeout", "+5", "argument couldn't be parsed into an integer");
  check("timeout", "05", "argument couldn't be parsed into an integer");
  check("maxclients", "0", "argument must be between 1 and 4294967295 inclusive");
  check("proto-max-bulk-len", "1", "argument must be between 1048576 and 4294967279 inclusive");
  check("shutdown-on-sigint", "save nosave", "shutdown options SAVE and NOSAVE can't be used simultaneously");
  check("oom-score-adj-values", "1 2 30000", "Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
  check("bind", "a b c d e f g h i j k l m n o p q", "Too many bind addresses specified.");
}

TEST_CASE("what is refused in a file is refused by CONFIG SET") {
  ConfigStore store{Settings{}};
  CHECK(set(store, {{"appendonly", "yes"}}) == failed("appendonly", "Magpie has no persistence yet"));
  CHECK(set(store, {{"appendonly", "no"}}) == "OK");
  CHECK(set(store, {{"tls-port", "1"}}).find("there is no TLS") != std::string::npos);
}

TEST_CASE("all or nothing") {
  ConfigStore store{Settings{}};
  const auto generation = store.generation();
  CHECK(set(store, {{"maxmemory", "10mb"}, {"timeout", "x"}}) ==
        failed("timeout", "argument couldn't be parsed into an integer"));
  CHECK(store.current()->maxmemory == 0);
  CHECK(store.generation() == generation);
  CHECK(set(store, {{"maxmemory", "10mb"}, {"timeout", "5"}}) == "OK");
  CHECK(store.current()->maxmemory == 10485760);
  CHECK(store.current()->timeout == 5);
  CHECK(store.generation() == generation + 1);
}

TEST_CASE("an old snapshot does not change") {
  ConfigStore store{Settings{}};
  const auto before = store.current();
  CHECK(set(store, {{"timeout", "20"}}) == "OK");
  CHECK(before->timeout == 0);
  CHECK(store.current()->timeout == 20);
}

TEST_CASE("protected options need permission") {
  Settings settings;
  settings.enable_protected_configs = Permission::Local;
  ConfigStore store{settings};
  CHECK(set(store, {{"dbfilename", "x"}}) == failed("dbfilename", "can't set protected config"));
  CHECK(set(store, {{"dbfilename", "x"}}, ConfigStore::Caller::Local) == "OK");
  settings.enable_protected_configs = Permission::Yes;
  ConfigStore open{settings};
  CHECK(set(open, {{"dbfilename", "x"}}) == "OK");
}

TEST_CASE("a callback sees each change before it is published and may veto it") {
  ConfigStore store{Settings{}};
  std::vector<std::pair<std::int64_t, std::int64_t>> seen;
  store.on_change([&](const Settings& before, const Settings& after) -> std::expected<void, ConfigStore::Veto> {
    seen.emplace_back(before.maxclients, after.maxclients);
    CHECK(store.current()->maxclients == 10000);
    return {};
  });
  store.on_change([](const Settings&, const Settings& after) -> std::expected<void, ConfigStore::Veto> {
    if (after.maxclients <= 20000) return {};
    return std::unexpected(ConfigStore::Veto{"maxclients", "too many"});
  });
  CHECK(set(store, {{"timeout", "5"}, {"MaxClients", "30000"}}) == failed("MaxClients", "too many"));
  // The first callback was told to undo.
  CHECK(seen == std::vector<std::pair<std::int64_t, std::int64_t>>{{10000, 30000}, {30000, 10000}});
  CHECK(store.current()->timeout == 0);
  CHECK(set(store, {{"maxclients", "20000"}}) == "OK");
  CHECK(store.current()->maxclients == 20000);
  seen.clear();
  CHECK(set(store, {{"maxclients", "20000"}}) == "OK");  // no change, no call
  CHECK(seen.empty());
}

TEST_CASE("readers on other threads see whole changes in order") {
  ConfigStore store{Settings{}};
  std::atomic<bool> done = false;
  std::thread reader([&] {
    std::uint64_t known = 0;
    std::int64_t last = 0;
    while (!done) {
      if (store.generation() == known) continue;
      known = store.generation();
      const auto settings = store.current();
      CHECK(settings->timeout == settings->maxmemory);
      CHECK(settings->timeout >= last);
      last = settings->timeout;
    }
  });
  for (int i = 1; i <= 500; ++i) {
    const std::string value = std::to_string(i);
    CHECK(set(store, {{"timeout", value}, {"maxmemory", value}}) == "OK");
  }
  done = true;
  reader.join();
}

}  // namespace magpie::config
