#include "server/config/option_table.h"

#include <doctest/doctest.h>

#include <cctype>
#include <fstream>
#include <set>
#include <sstream>

#include "server/config/reference.h"
#include "tests/config/oracle_defaults.h"

namespace magpie::config {
namespace {

std::vector<const Option*> every_option() {
  std::vector<const Option*> all;
  for (const Area& area : areas()) {
    for (const Option& option : area.options) all.push_back(&option);
  }
  return all;
}

std::vector<std::string> arguments_of(const Option& option, ByteView text) {
  return takes_several_arguments(option) ? split_at_spaces(text) : std::vector<std::string>{std::string(text)};
}

}  // namespace

TEST_CASE("no two options share a name, and names are lower case") {
  std::set<ByteView> names;
  for (const Option* option : every_option()) {
    CAPTURE(option->name);
    CHECK_FALSE(option->name.empty());
    CHECK(names.insert(option->name).second);
    if (!option->alias.empty()) CHECK(names.insert(option->alias).second);
    for (const char byte : option->name) CHECK_FALSE(std::isupper(static_cast<unsigned char>(byte)));
    CHECK(find_option(option->name)->option == option);
  }
}

TEST_CASE("an option that works has help and a member; the others say why and keep their text") {
  for (const Option* option : every_option()) {
    CAPTURE(option->name);
    const bool works = option->effect == Effect::Works;
    CHECK(option->help.empty() != works);
    CHECK(option->reason.empty() == works);
    if (!std::holds_alternative<Custom>(option->kind)) {
      CHECK((option->access.read != nullptr) == works);
      CHECK((option->access.write != nullptr) == works);
    }
    CHECK(option->help.find('\n') == ByteView::npos);
  }
}

TEST_CASE("the defaults of the table are those of Settings, parse and format to themselves") {
  for (const Option* option : every_option()) {
    CAPTURE(option->name);
    if (option->name == "dir") continue;  // where the process runs
    CHECK(format(default_settings(), *option) == option->default_text);
    if (option->name == "replicaof") continue;  // its default cannot be written
    Settings settings;
    const auto assigned = assign(settings, *option, arguments_of(*option, option->default_text), Origin::Set);
    REQUIRE_MESSAGE(assigned.has_value(), assigned.error());
    CHECK(format(settings, *option) == option->default_text);
    CHECK(settings == default_settings());
  }
}

TEST_CASE("what an option formats, it parses") {
  for (const Option* option : every_option()) {
    CAPTURE(option->name);
    Settings settings;
    for (const ByteView candidate : {"yes", "17", "2000000", "0700", "allkeys-lfu", "1 2 3", "900 1", "Kx", "force"}) {
      if (!assign(settings, *option, arguments_of(*option, candidate), Origin::Set)) continue;
      Settings again;
      REQUIRE(assign(again, *option, arguments_of(*option, format(settings, *option)), Origin::Set).has_value());
      CHECK(again == settings);
    }
  }
}

TEST_CASE("every name of Redis 7.0 is known, with Redis's default") {
  const Settings settings;
  for (const OracleDefault& row : kOracleDefaults) {
    CAPTURE(row.name);
    const auto found = find_option(row.name);
    REQUIRE(found.has_value());
    CHECK_FALSE(found->option->hidden);
    if (row.name == "bind") continue;  // ours is that of the redis.conf Redis ships: this machine only
    if (row.name == "repl-backlog-size") continue;  // ours is larger
    CHECK(format(settings, *found->option) == row.value);
  }
}

TEST_CASE("names are found in any case and by their alias") {
  CHECK(find_option("MaxMemory")->option->name == "maxmemory");
  CHECK(find_option("slave-read-only")->option->name == "replica-read-only");
  CHECK(find_option("slave-read-only")->by_alias);
  CHECK(find_option("commandlog-execution-slower-than")->option->name == "slowlog-log-slower-than");
  CHECK_FALSE(find_option("maxmemor").has_value());
  CHECK_FALSE(find_option("").has_value());
}

TEST_CASE("the members of Settings get what the text says") {
  Settings settings;
  const auto put = [&](ByteView name, ByteView text) {
    const Option& option = *find_option(name)->option;
    return assign(settings, option, arguments_of(option, text), Origin::Set).has_value();
  };
  CHECK(put("maxmemory", "2mb"));
  CHECK(settings.maxmemory == 2097152);
  CHECK(put("maxmemory-policy", "Allkeys-LFU"));
  CHECK(settings.maxmemory_policy == MaxmemoryPolicy::AllKeysLfu);
  CHECK(put("loglevel", "nothing"));
  CHECK(settings.loglevel == LogLevel::Nothing);
  CHECK(put("enable-debug-command", "local"));
  CHECK(settings.enable_debug_command == Permission::Local);
  CHECK(put("unixsocketperm", "770"));
  CHECK(settings.unixsocketperm == 0770);
  CHECK(put("bind", "10.0.0.1 -::1"));
  CHECK(settings.bind == std::vector<std::string>{"10.0.0.1", "-::1"});
  CHECK(put("bind", ""));
  CHECK(settings.bind.empty());
  CHECK(put("client-output-buffer-limit", "replica 1mb 1kb 5"));
  CHECK(settings.client_output_buffer_limit.replica == OutputBufferLimit{1048576, 1024, 5});
  CHECK(settings.client_output_buffer_limit.pubsub == OutputBufferLimit{33554432, 8388608, 60});
  CHECK(put("notify-keyspace-events", "Kgx"));
  CHECK(settings.notify_keyspace_events.has(KeyspaceEvent::Expired));
  CHECK_FALSE(settings.notify_keyspace_events.has(KeyspaceEvent::Keyevent));
  CHECK(settings.without_effect.empty());
  CHECK(put("hz", "100000"));
  CHECK(settings.without_effect.at("hz") == "500");
}

TEST_CASE("the reference document and the help name every option that works") {
  const std::string document = reference_document();
  const std::string usage = usage_text();
  for (const Option* option : every_option()) {
    CAPTURE(option->name);
    CHECK((document.find("`" + std::string(option->name) + "`") != std::string::npos) == !option->hidden);
    if (option->effect == Effect::Works) CHECK(usage.find("--" + std::string(option->name)) != std::string::npos);
  }
}

TEST_CASE("docs/configuration.md is current: magpie-server --help-options > docs/configuration.md") {
  const std::ifstream file(MAGPIE_SOURCE_DIR "/docs/configuration.md");
  std::stringstream text;
  text << file.rdbuf();
  CHECK(text.str() == reference_document());
}

}  // namespace magpie::config
