#include <doctest/doctest.h>

#include "server/commands/latency_text.h"
#include "tests/commands/test_server.h"

using namespace magpie;
using testing::TestServer;

namespace {

config::Settings logging_all() {
  config::Settings settings;
  settings.slowlog_log_slower_than = 0;
  settings.slowlog_max_len = 3;
  settings.commandlog_request_larger_than = 100;
  settings.commandlog_reply_larger_than = 100;
  return settings;
}

}  // namespace

TEST_CASE("SLOWLOG keeps the newest entries") {
  TestServer server(logging_all());
  server.run("SET a 1");
  server.run("SET b 2");
  server.run("SET c 3");
  server.run("SET d 4");
  CHECK(server.run("SLOWLOG LEN") == ":3\r\n");
  CHECK(server.run("SLOWLOG GET 0") == "*0\r\n");
  CHECK(server.run("SLOWLOG GET -1").starts_with("*3\r\n*6\r\n"));
  CHECK(server.run("SLOWLOG GET -2") == "-ERR count should be greater than or equal to -1\r\n");
  CHECK(server.run("SLOWLOG GET 1 2") ==
        "-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.\r\n");
  CHECK(server.run("SLOWLOG RESET") == "+OK\r\n");
  CHECK(server.run("SLOWLOG LEN") == ":1\r\n");  // the reset itself
}

TEST_CASE("CONFIG SET shortens the logs at once, and is logged itself as they are then") {
  TestServer server(logging_all());
  server.run("SET a 1");
  server.run("SET b 2");
  server.run("CONFIG SET slowlog-max-len 2");
  CHECK(server.state().slow_commands.size() == 2);
  CHECK(server.state().slow_commands.newest(1)[0].arguments[0] == "CONFIG");
  for (int i = 0; i < 3; ++i) server.run({"SET", "key", std::string(200, 'x')});
  for (int i = 0; i < 3; ++i) server.run("GET key");
  server.run("CONFIG SET commandlog-large-request-max-len 1 commandlog-large-reply-max-len 2");
  CHECK(server.state().large_requests.size() == 1);
  CHECK(server.state().large_replies.size() == 2);
  server.run("CONFIG SET commandlog-reply-larger-than -1 commandlog-large-reply-max-len 1");
  CHECK(server.state().large_replies.size() == 2);
}

TEST_CASE("COMMANDLOG has a log for slow commands, large requests and large replies") {
  TestServer server(logging_all());
  server.run({"SET", "key", std::string(200, 'x')});
  server.run("GET key");
  CHECK(server.run("COMMANDLOG LEN large-request") == ":1\r\n");
  CHECK(server.run("COMMANDLOG LEN LARGE-REPLY") == ":1\r\n");
  CHECK(server.run("COMMANDLOG GET 1 large-reply").find("$3\r\nGET\r\n") != std::string::npos);
  CHECK(server.run("COMMANDLOG RESET large-request") == "+OK\r\n");
  CHECK(server.run("COMMANDLOG LEN large-request") == ":0\r\n");
  CHECK(server.run("COMMANDLOG GET 1 slow").starts_with("*1\r\n"));
  CHECK(server.run("COMMANDLOG LEN other").starts_with("-ERR type should be one of"));
  CHECK(server.run("COMMANDLOG GET 1") == "-ERR wrong number of arguments for 'commandlog|get' command\r\n");
}

TEST_CASE("quick commands of a burst are counted one by one, failures and all, though they are timed together") {
  TestServer server;
  server.run("RPUSH list a");
  // 20 are more than one batch; the INCRs end runs of GETs, and fail in the middle of one of their own.
  std::string burst;
  for (int i = 0; i < 20; ++i) burst += i % 5 == 4 ? "INCR n\r\nINCR list\r\nINCR n\r\n" : "GET n\r\n";
  burst += "GET list\r\nPING\r\nGET n\r\n";
  server.send(burst);
  CHECK(server.run("GET n") == "$1\r\n8\r\n");
  const std::string stats = server.run("INFO commandstats");
  CHECK(stats.find("cmdstat_get:calls=19,") != std::string::npos);
  CHECK(stats.find("cmdstat_incr:calls=12,") != std::string::npos);
  const auto failures = [&](const std::string& command) {
    const std::size_t at = stats.find("failed_calls=", stats.find("cmdstat_" + command + ":"));
    return stats.substr(at, stats.find("\r\n", at) - at);
  };
  CHECK(failures("get") == "failed_calls=1");
  CHECK(failures("incr") == "failed_calls=4");
  // Key by command: calls, and the last bucket's cumulative count.
  CHECK(server.run("LATENCY HISTOGRAM get").find("$5\r\ncalls\r\n:19\r\n") != std::string::npos);
  CHECK(server.run("INFO stats").find("total_commands_processed:35\r\n") != std::string::npos);
}

TEST_CASE("a burst of quick commands is logged one by one where sizes or short times ask for it") {
  config::Settings settings;
  settings.commandlog_reply_larger_than = 100;
  TestServer server(settings);
  server.run({"SET", "key", std::string(200, 'x')});
  server.send("GET key\r\nGET none\r\nGET key\r\n");
  CHECK(server.state().large_replies.size() == 2);
  server.run("CONFIG SET slowlog-log-slower-than 0");
  const std::size_t before = server.state().slow_commands.size();
  server.send("GET key\r\nGET none\r\nGET key\r\n");
  CHECK(server.state().slow_commands.size() == before + 3);
}

TEST_CASE("an event is noted from the threshold of the latency monitor on, with 0 never") {
  magpie::server::LatencyMonitor monitor;
  constexpr std::uint64_t kMs = 1'000'000;
  monitor.add_if_long("expire-cycle", 500 * kMs, 0, magpie::Instant{5'000});
  monitor.add_if_long("expire-cycle", 3 * kMs - 1, 3, magpie::Instant{5'000});
  CHECK(monitor.all().empty());
  monitor.add_if_long("expire-cycle", 3 * kMs, 3, magpie::Instant{5'999});
  REQUIRE(monitor.all().size() == 1);
  CHECK(monitor.all().front().samples.front().time_seconds == 5);
  CHECK(monitor.all().front().max_ms == 3);
}

TEST_CASE("LATENCY shows and forgets events") {
  TestServer server;
  server.state().latency.add("command", 10, 1'700'000'000 - 5);
  server.state().latency.add("command", 20, 1'700'000'000 - 2);
  server.state().latency.add("fast-command", 7, 1'700'000'000);
  CHECK(server.run("LATENCY LATEST") ==
        "*2\r\n*4\r\n$7\r\ncommand\r\n:1699999998\r\n:20\r\n:20\r\n"
        "*4\r\n$12\r\nfast-command\r\n:1700000000\r\n:7\r\n:7\r\n");
  CHECK(server.run("LATENCY HISTORY command") == "*2\r\n*2\r\n:1699999995\r\n:10\r\n*2\r\n:1699999998\r\n:20\r\n");
  CHECK(server.run("LATENCY HISTORY none") == "*0\r\n");
  CHECK(server.run("LATENCY GRAPH none") == "-ERR No samples available for event 'none'\r\n");
  CHECK(server.run("LATENCY GRAPH command").find("command - high 20 ms, low 10 ms (all time high 20 ms)") !=
        std::string::npos);
  CHECK(server.run("LATENCY RESET command none") == ":1\r\n");
  CHECK(server.run("LATENCY RESET") == ":1\r\n");
  CHECK(server.run("LATENCY LATEST") == "*0\r\n");
}

TEST_CASE("a latency graph draws one column a sample") {
  const server::LatencyMonitor::Event event{"e", {{100, 10}, {105, 40}, {160, 25}}, 50};
  CHECK(commands::latency_graph_text(event, 170) == "e - high 40 ms, low 10 ms (all time high 50 ms)\n" +
                                                        std::string(80, '-') + "\n # \n # \n ##\n_##\n111\nmm0\n  s\n");
}

TEST_CASE("the doctor has something to say in each state") {
  CHECK(commands::latency_doctor_text({}, 0).find("monitoring is off") != std::string::npos);
  CHECK(commands::latency_doctor_text({}, 5).find("No latency spikes") != std::string::npos);
  const server::LatencyMonitor::Event event{"command", {{100, 10}, {105, 40}}, 50};
  CHECK(commands::latency_doctor_text({event}, 5).find("command: 2 spikes, mean 25 ms, worst of all time 50 ms") !=
        std::string::npos);
}

TEST_CASE("LATENCY HISTOGRAM counts calls of the commands that are named") {
  TestServer server;
  server.run("GET a");
  server.run("GET a");
  CHECK(server.run("LATENCY HISTOGRAM get").starts_with("*2\r\n$3\r\nget\r\n*4\r\n$5\r\ncalls\r\n:2\r\n"));
  CHECK(server.run("LATENCY HISTOGRAM set nosuch") == "*0\r\n");
  server.run("CONFIG RESETSTAT");
  CHECK(server.run("LATENCY HISTOGRAM get") == "*0\r\n");
}
