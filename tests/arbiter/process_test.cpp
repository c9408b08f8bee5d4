// magpiectl arbiter as a process: exit codes, signals, and what is there after it was killed.

#include "tests/arbiter/process.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "cluster/ctl/exit_code.h"
#include "tests/arbiter/fixture.h"

using namespace magpie::cluster;  // NOLINT(google-build-using-namespace): what an arbiter takes and gives
using magpie::ctl::ExitCode;
using magpie::testing::becomes_so;
using magpie::testing::ControlProcess;
using magpie::testing::file_content;
using magpie::testing::put_transaction;
using magpie::testing::TemporaryFolder;
using magpie::testing::TestClient;
using magpie::testing::write_file;

namespace {

int code(ExitCode code) { return static_cast<int>(code); }

/// Arguments of an arbiter with the data of that folder, and the secret of TestClient.
std::vector<std::string> arguments(const TemporaryFolder& folder, const std::vector<std::string>& more = {}) {
  write_file(folder.file("secret"), "secret\n");
  std::vector<std::string> all{"arbiter", "--data",        folder.file("data"),  "--port", "0", "--cluster",
                               "cluster", "--secret-file", folder.file("secret")};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string without_port(ControlProcess& process, ExitCode expected) {
  CHECK(process.end() == code(expected));
  return process.output();
}

/// Keys and the revisions at which they were written, as far as that was answered; the others may be there too.
struct Written {
  std::map<std::string, Revision> answered;
  std::size_t unknown = 0;
};

/// Writes keys, many at once, until there is an error; calls `on_answer` after each answer.
Written write_until_error(int port, const std::string& prefix, const std::function<void(std::size_t)>& on_answer) {
  constexpr int kAtOnce = 16;
  TestClient client(port);
  Written written;
  int next = 0;
  int under_way = 0;
  bool failed = false;
  const std::function<void()> write_next = [&] {
    const std::string key = prefix + std::to_string(next++);
    ++under_way;
    client.arbiter().transact(put_transaction(key, std::string(100, 'v')), [&, key](const auto& result) {
      --under_way;
      if (!result) {
        failed = true;
        ++written.unknown;
        return;
      }
      written.answered[key] = result->revision;
      on_answer(written.answered.size());
      if (!failed) write_next();
    });
  };
  for (int i = 0; i < kAtOnce; ++i) write_next();
  CHECK(client.until([&] { return failed && under_way == 0; }));
  return written;
}

void check_there(TestClient& client, const Written& written) {
  for (const auto& [key, revision] : written.answered) {
    const auto read = client.read({key});
    REQUIRE(read.has_value());
    REQUIRE_MESSAGE(read->entries.size() == 1, key);
    CHECK(read->entries.front().changed == revision);
  }
}

}  // namespace

TEST_CASE("magpiectl: wrong arguments are one line and exit code 2") {
  const TemporaryFolder folder;
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"nonsense"},
      {"arbiter"},
      {"arbiter", "--data", folder.path()},
      {"arbiter", "--port", "0"},
      {"arbiter", "--data", folder.path(), "--port", "65536"},
      {"arbiter", "--data", folder.path(), "--port", "0", "--cluster", "a/b"},
      {"arbiter", "--data", folder.path(), "--port", "0", "--bind", "0.0.0.0"},
      {"arbiter", "--data", folder.path(), "--port", "0", "--secret-file", folder.file("none")}};
  for (const auto& words : wrong) {
    ControlProcess process(words);
    CHECK(process.end() == code(ExitCode::BadArguments));
    CHECK_FALSE(process.output().empty());
  }
  ControlProcess help({"arbiter", "--help"});
  CHECK(help.end() == code(ExitCode::Success));
  CHECK(help.wrote("--accept-empty"));
}

TEST_CASE("magpiectl arbiter: ready with the kernel's port, ended by SIGTERM, once per folder and port") {
  const TemporaryFolder folder;
  ControlProcess process(arguments(folder));
  const int port = process.port();
  CHECK(process.wrote(" cluster=cluster revision=0 new=yes pid="));
  TestClient client(port);
  CHECK(client.put("a", "1").has_value());
  ControlProcess second(arguments(folder));
  CHECK(without_port(second, ExitCode::CannotUseData).find("another process has locked '" + folder.file("data/lock")) !=
        std::string::npos);
  const TemporaryFolder other;
  ControlProcess same_port(arguments(other, {"--port", std::to_string(port)}));
  CHECK(same_port.end() != code(ExitCode::Success));
  process.signal(SIGHUP);
  process.signal(SIGTERM);
  CHECK(process.end() == code(ExitCode::Success));
  CHECK(process.wrote("event=stopping signal=SIGTERM"));
  CHECK(process.wrote("event=stopped revision=1"));
  CHECK(client.until([&] { return !client.connected(); }));
}

TEST_CASE("magpiectl arbiter: a port in use has an exit code of its own") {
  const TemporaryFolder folder;
  const TemporaryFolder other;
  ControlProcess process(arguments(folder));
  ControlProcess second({"arbiter", "--data", other.path(), "--port", std::to_string(process.port())});
  CHECK(without_port(second, ExitCode::CannotListen).find("bind: Address already in use") != std::string::npos);
}

TEST_CASE("magpiectl arbiter: all that was answered is there after kill -9, however often") {
  const TemporaryFolder folder;
  constexpr std::size_t kRounds = 8;
  std::vector<Written> rounds;
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  for (std::size_t round = 0; round < kRounds; ++round) {
    ControlProcess process(arguments(folder));
    const std::size_t enough = 20 + 37 * round;
    rounds.push_back(write_until_error(process.port(), "key" + std::to_string(round) + "/", [&](std::size_t answered) {
      if (answered == enough) process.signal(SIGKILL);
    }));
    CHECK(process.end() == -SIGKILL);
    least += rounds.back().answered.size();
    most += rounds.back().answered.size() + rounds.back().unknown;
  }
  ControlProcess process(arguments(folder));
  TestClient client(process.port());
  for (const Written& written : rounds) check_there(client, written);
  const Revision revision = client.read({})->revision;
  CHECK(revision.number >= least);
  CHECK(revision.number <= most);
}

TEST_CASE("magpiectl arbiter: a disk that takes no more ends it, and what was answered is there") {
  const TemporaryFolder folder;
  Written written;
  {
    constexpr std::uint64_t kMostFileBytes = 50'000;
    ControlProcess process(arguments(folder), kMostFileBytes);
    written = write_until_error(process.port(), "key", [](std::size_t) {});
    CHECK(process.end() == code(ExitCode::DiskFailed));
    CHECK(process.wrote("event=disk-failed reason=\"cannot write '" + folder.file("data/arbiter.log") +
                        "': File too large\""));
  }
  CHECK(written.answered.size() > 100);
  ControlProcess process(arguments(folder));
  TestClient client(process.port());
  check_there(client, written);
}

TEST_CASE("magpiectl arbiter: a torn end is cut with a line, damage is refused by file and place") {
  const TemporaryFolder folder;
  const std::string log = folder.file("data/arbiter.log");
  {
    ControlProcess process(arguments(folder));
    CHECK(TestClient(process.port()).put("a", "1").has_value());
    process.signal(SIGTERM);
    process.end();
  }
  const std::string good = file_content(log);
  write_file(log, good + good.substr(0, 11));
  {
    ControlProcess process(arguments(folder));
    CHECK(TestClient(process.port()).read({"a"})->entries.size() == 1);
    CHECK(process.wrote("warning event=torn-end-cut bytes=11"));
  }
  write_file(log, good + std::string(100, 'x') + good);
  ControlProcess process(arguments(folder));
  CHECK(without_port(process, ExitCode::CannotUseData)
            .find("'" + log + "' is damaged at byte " + std::to_string(good.size())) != std::string::npos);
  CHECK(file_content(log) == good + std::string(100, 'x') + good);
}

TEST_CASE("magpiectl arbiter: one that stands still is an error in time, and no more once it goes on") {
  const TemporaryFolder folder;
  ControlProcess process(arguments(folder));
  TestClient client(process.port(), {.request_time = std::chrono::seconds(1)});
  REQUIRE(becomes_so([&] { return client.put("a", "1").has_value(); }));
  process.signal(SIGSTOP);
  CHECK_FALSE(client.put("b", "1").has_value());
  process.signal(SIGCONT);
  CHECK(client.until([&] { return client.connected(); }));
  CHECK(becomes_so([&] { return client.read({"a"}).has_value(); }));
}

TEST_CASE("magpiectl arbiter: nodes that have seen later terms are served only with --accept-empty") {
  const TemporaryFolder folder;
  {
    ControlProcess process(arguments(folder));
    TestClient client(process.port(), {.highest_term = {3}, .request_time = std::chrono::milliseconds(300)});
    CHECK_FALSE(client.put("a", "1").has_value());
    CHECK(client.is_troubled_by("restart it with --accept-empty"));
    CHECK(process.wrote("error event=outdated node=node node-term=3 stored-term=0"));
    process.signal(SIGTERM);
    CHECK(process.end() == code(ExitCode::Success));
    CHECK(process.wrote("event=stopped revision=0"));
  }
  ControlProcess process(arguments(folder, {"--accept-empty"}));
  CHECK(TestClient(process.port(), {.highest_term = {3}}).put("a", "1").has_value());
}
