#include "server/config/load.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>

namespace magpie::config {
namespace {

using Words = std::vector<std::string>;

/// A world of files in memory.
SourceReader files(std::map<std::string, std::string> contents) {
  return
      [contents = std::move(contents)](const std::string& path) -> std::expected<std::vector<SourceText>, std::string> {
        const auto found = contents.find(path);
        if (found == contents.end()) return std::unexpected("cannot open '" + path + "'");
        return std::vector{SourceText{path, found->second}};
      };
}

std::expected<LoadedConfig, StartupError> load_text(const std::string& text) {
  return load(Words{"m.conf"}, files({{"m.conf", text}}));
}

std::string error_of(const std::string& text) {
  const auto loaded = load_text(text);
  return loaded ? "" : loaded.error().message;
}

Words warnings_of(const std::string& text) {
  const auto loaded = load_text(text);
  REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
  return loaded->warnings;
}

}  // namespace

TEST_CASE("errors name the place, the option, the value and what is allowed") {
  CHECK(error_of("port 1\n\nmaxmemory abc") ==
        "m.conf:3: 'maxmemory' does not take 'abc': a size such as 100mb is allowed");
  CHECK(error_of("port 99999") == "m.conf:1: 'port' does not take '99999': an integer from 0 to 65535 is allowed");
  CHECK(error_of("hz x") == "m.conf:1: 'hz' does not take 'x': an integer from 0 to 2147483647 is allowed");
  CHECK(error_of("timeout") == "m.conf:1: 'timeout' needs a value: an integer from 0 to 2147483647 is allowed");
  CHECK(error_of("protected-mode maybe") ==
        "m.conf:1: 'protected-mode' does not take 'maybe': 'yes' or 'no' is allowed");
  CHECK(error_of("unixsocketperm 9") ==
        "m.conf:1: 'unixsocketperm' does not take '9': an octal mode such as 700 is allowed");
  CHECK(error_of("appendfsync never") ==
        "m.conf:1: 'appendfsync' does not take 'never': one of everysec, always, no is allowed");
  CHECK(error_of("client-query-buffer-limit 1") ==
        "m.conf:1: 'client-query-buffer-limit' does not take '1': a size such as 100mb, at least 1048576 bytes, is "
        "allowed");
  CHECK(error_of("save 900") ==
        "m.conf:1: 'save' does not take '900': a list of pairs such as '3600 1 300 100' is allowed");
  CHECK(error_of("port 1 2") == "m.conf:1: 'port' takes one value, not 2");
  CHECK(error_of("port 1 # one") == "m.conf:1: 'port' takes one value, not 3; a comment needs a line of its own");
  CHECK(error_of("prot 1") == "m.conf:1: there is no option 'prot'");
}

TEST_CASE("what would put the user's data at risk is refused") {
  CHECK(error_of("appendonly yes") == "m.conf:1: 'appendonly' is refused: Magpie has no persistence yet");
  for (const char* line :
       {"tls-port 6380", "cluster-enabled yes", "aclfile users.acl", "user alice on", "rename-command FLUSHALL \"\"",
        "loadmodule x.so", "sentinel monitor a b 1 1", "user default on #abc ~* &* +@all", "user default off"}) {
    CAPTURE(line);
    CHECK(error_of(line).find("is refused: ") != std::string::npos);
  }
  for (const char* line :
       {"appendonly no", "tls-port 0", "replicaof no one", "replicaof 10.0.0.1 6379", "cluster-enabled no",
        "aclfile \"\"", "user default on nopass ~* &* +@all", "user default on nopass sanitize-payload ~* &* +@all"}) {
    CAPTURE(line);
    CHECK(error_of(line).empty());
    CHECK(warnings_of(line).empty());
  }
}

TEST_CASE("an option without effect warns once, where it was set last, unless it is at its default") {
  CHECK(warnings_of("appendfsync always\nappendfsync no") ==
        Words{"m.conf:2: 'appendfsync' has no effect: Magpie has no persistence yet"});
  CHECK(warnings_of("appendfsync always\nappendfsync everysec").empty());
  CHECK(warnings_of("save 900 1\nsave 300 10").size() == 1);
  CHECK(warnings_of("save 900 1\nsave \"\"").empty());
  CHECK(warnings_of("daemonize yes\nio-threads 4\nrepl-diskless-sync no\nsupervised systemd").size() == 4);
  CHECK(warnings_of("list-max-ziplist-entries 5").size() == 1);
  CHECK(warnings_of("maxmemory 1gb\nport 0").empty());
}

TEST_CASE("lists add up as in Redis") {
  const auto loaded = load_text(
      "save 900 1\nsave 300 10\nclient-output-buffer-limit normal 1 1 1\n"
      "client-output-buffer-limit \"slave 2 2 2 pubsub 3 3 3\"\nbind 10.0.0.1 10.0.0.2\n"
      "latency-tracking-info-percentiles 99 50");
  REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
  const Settings& settings = loaded->settings;
  CHECK(settings.without_effect.at("save") == "900 1 300 10");
  CHECK(settings.client_output_buffer_limit == OutputBufferLimits{{1, 1, 1}, {2, 2, 2}, {3, 3, 3}});
  CHECK(settings.bind == Words{"10.0.0.1", "10.0.0.2"});
  CHECK(settings.latency_tracking_info_percentiles == std::vector<double>{99, 50});
}

TEST_CASE("the file, standard input, the command line: the later wins") {
  const SourceReader reader = files({{"m.conf", "port 1\ntcp-keepalive 11\ntimeout 1"},
                                     {"-", "port 2\ntcp-keepalive 12"},
                                     {"more.conf", "timeout 7"}});
  const auto loaded = load(Words{"m.conf", "-", "--port", "3", "--include", "more.conf"}, reader);
  REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
  CHECK(loaded->settings.port == 3);
  CHECK(loaded->settings.tcp_keepalive == 12);
  CHECK(loaded->settings.timeout == 7);
  CHECK(std::filesystem::path(loaded->config_file).is_absolute());
  CHECK(loaded->config_file.ends_with("/m.conf"));
  CHECK(load(Words{}, reader)->config_file.empty());
}

TEST_CASE("mistakes on the command line") {
  const auto error = [](const Words& words) { return load(words, files({})).error().message; };
  CHECK(error({"--maxmemory", "abc"}) ==
        "command line: 'maxmemory' does not take 'abc': a size such as 100mb is allowed");
  CHECK(error({"--nosuch", "1"}) == "command line: there is no option 'nosuch'");
  CHECK(error({"none.conf"}) == "cannot open 'none.conf'");
  CHECK(error({"--include", "none.conf"}) == "cannot open 'none.conf'");
  CHECK(error({"--include", "a", "b"}) == "command line: 'include' takes one file");
  CHECK(error({"--port"}) == "command line: 'port' needs a value: an integer from 0 to 65535 is allowed");
}

TEST_CASE("empty lists on the command line") {
  CHECK(load(Words{"--save", "--bind", "--port", "0"}, files({}))->settings.bind.empty());
  CHECK(load(Words{"--save", ""}, files({}))->warnings.empty());
}

TEST_CASE("there is a limit to the number of databases") {
  CHECK(load_text("databases 16384").has_value());
  CHECK(error_of("databases 16385").find("an integer from 1 to 16384 is allowed") != std::string::npos);
}

TEST_CASE("what is printed instead of serving") {
  CHECK(load(Words{"--help"}, files({}))->output.starts_with("Usage: magpie-server"));
  CHECK(load(Words{"--help-options"}, files({}))->output.find("# Configuration") != std::string::npos);
  CHECK(load(Words{"--version"}, files({}))->mode == Mode::Version);
  const auto checked = load(Words{"--check-config", "--port", "1"}, files({}));
  CHECK(checked->mode == Mode::CheckConfig);
  CHECK_FALSE(checked->output.empty());
  CHECK_FALSE(load(Words{"--check-config", "--port", "x"}, files({})).has_value());
}

TEST_CASE("files that cannot be opened say why") {
  CHECK(read_sources("/nonexistent/magpie.conf").error() ==
        "cannot open '/nonexistent/magpie.conf': No such file or directory");
  CHECK(read_sources("/nonexistent/*.conf")->empty());
}

}  // namespace magpie::config
