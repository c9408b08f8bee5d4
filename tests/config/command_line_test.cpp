#include "server/config/command_line.h"

#include <doctest/doctest.h>

namespace magpie::config {
namespace {

using Words = std::vector<std::string>;

CommandLine parse(const Words& words) {
  const auto line = parse_command_line(words);
  REQUIRE_MESSAGE(line.has_value(), line.error());
  return *line;
}

}  // namespace

TEST_CASE("an empty command line serves with the defaults") {
  const CommandLine line = parse({});
  CHECK(line.mode == Mode::Serve);
  CHECK_FALSE(line.file.has_value());
  CHECK_FALSE(line.standard_input);
  CHECK(line.options.empty());
}

TEST_CASE("file, standard input and options") {
  const CommandLine line = parse({"magpie.conf", "-", "--Port", "7000", "--save", "", "--client-output-buffer-limit",
                                  "normal", "0", "0", "0", "--bind", "-::1"});
  CHECK(*line.file == "magpie.conf");
  CHECK(line.standard_input);
  REQUIRE(line.options.size() == 4);
  CHECK(line.options[0].name == "port");
  CHECK(line.options[0].arguments == Words{"7000"});
  CHECK(line.options[1].arguments == Words{""});
  CHECK(line.options[2].arguments == Words{"normal", "0", "0", "0"});
  CHECK(line.options[3].arguments == Words{"-::1"});
  CHECK(location(line.options[0]) == "command line");
}

TEST_CASE("a dash alone is standard input, also as the first word") {
  CHECK(parse({"-"}).standard_input);
  CHECK_FALSE(parse({"-"}).file.has_value());
  CHECK(parse({"--port", "0", "-"}).standard_input);
  CHECK(parse({"--port", "0", "-"}).options[0].arguments == Words{"0"});
}

TEST_CASE("where an option's values end") {
  const CommandLine line = parse({"--save", "--port", "0"});
  REQUIRE(line.options.size() == 2);
  CHECK(line.options[0].arguments.empty());
  CHECK(line.options[1].arguments == Words{"0"});
  CHECK(parse({"--proc-title-template", "--x--"}).options[0].arguments == Words{"--x--"});
  CHECK(parse({"--port", "1", "--nosuch", "1"}).options[1].name == "nosuch");
}

TEST_CASE("values after an equals sign") {
  const CommandLine line = parse({"--port=0", "--requirepass=--port", "--logfile="});
  REQUIRE(line.options.size() == 3);
  CHECK(line.options[0].name == "port");
  CHECK(line.options[0].arguments == Words{"0"});
  CHECK(line.options[1].arguments == Words{"--port"});
  CHECK(line.options[2].arguments == Words{""});
}

TEST_CASE("what the program is asked to do") {
  CHECK(parse({"--help"}).mode == Mode::Help);
  CHECK(parse({"-h"}).mode == Mode::Help);
  CHECK(parse({"--help-options"}).mode == Mode::HelpOptions);
  CHECK(parse({"-v"}).mode == Mode::Version);
  CHECK(parse({"--version"}).mode == Mode::Version);
  const CommandLine check = parse({"magpie.conf", "--check-config", "--port", "1"});
  CHECK(check.mode == Mode::CheckConfig);
  CHECK(check.options.size() == 1);
}

TEST_CASE("words that belong to nothing") {
  CHECK(parse_command_line(Words{"a.conf", "b.conf"}).error() == "command line: 'b.conf' does not belong to an option");
  CHECK(parse_command_line(Words{"--port=1", "2"}).error() == "command line: '2' does not belong to an option");
  CHECK_FALSE(parse_command_line(Words{"-x"}).has_value());
}

}  // namespace magpie::config
