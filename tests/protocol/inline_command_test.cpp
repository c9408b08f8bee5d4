#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>

#include "protocol/command_parser.h"
#include "tests/protocol/command_text.h"

namespace magpie::resp {
namespace {

using std::string_literals::operator""s;

// Each line and what redis-server 7.0 takes it for.
const std::vector<std::pair<std::string, Words>> kLines = {
    {"PING\n", {"PING"}},
    {"PING\r\n", {"PING"}},
    {" PING\r\n", {"PING"}},
    {"PING a\r\r\n", {"PING", "a"}},
    {"PING a\rb\n", {"PING", "a", "b"}},
    {"PING a\x0b"
     "b\n",
     {"PING",
      "a\x0b"
      "b"}},
    {"PING \x0b\x0c"
     "b\n",
     {"PING", "b"}},
    {"PING \xff\n", {"PING", "\xff"}},
    {"\"PING\" x\n", {"PING", "x"}},
    {"PING \"\"\n", {"PING", ""}},
    {"PING '' \"\" ''\n", {"PING", "", "", ""}},
    {"PING a\"b\"\n", {"PING", "ab"}},
    {"PING \"a\"\x0b\n", {"PING", "a"}},
    {"PING \"a\rb\"\n", {"PING", "a\rb"}},
    {"PING \"\\x41\\n\\r\\t\\a\\b\\q\\xZZ\\\"\\\\\"\n", {"PING", "A\n\r\t\a\bqxZZ\"\\"}},
    {"PING \"\\x4\"\n", {"PING", "x4"}},
    {"PING \"\\xfF\\x00\"\n", {"PING", "\xff\0"s}},
    {"PING 'a\\'b\\n'\n", {"PING", "a'b\\n"}},
    {"PING '\\x41'\n", {"PING", "\\x41"}},
    {"PING \\n\n", {"PING", "\\n"}},
    {"SET \"k 1\" plain 'v 2' tail\n", {"SET", "k 1", "plain", "v 2", "tail"}},
};

const std::array kUnbalanced = {"PING \"a\n",   "PING 'a\n",      "PING 'a'b\n", "PING \"a\"b\n",
                                "PING \"a\\\n", "PING \"a\\\"\n", "PING a\"\n",  "PING 'a\\'\n"};

}  // namespace

TEST_CASE("inline commands: words, quotes and escapes as redis-server splits them") {
  for (const auto& [line, words] : kLines) {
    CAPTURE(line);
    const auto read = converse(line);
    CHECK(read.error.empty());
    CHECK(read.commands == std::vector<Words>{words});
  }
}

TEST_CASE("inline commands: plain words borrow from the input, others from the arguments") {
  const std::string line = "SET key \"v\\x61lue\" x\r\n";
  ParseCursor cursor;
  Args args;
  REQUIRE(std::holds_alternative<Parsed>(parse_command(line, {}, cursor, args)));
  CHECK(args[1].data() == line.data() + 4);
  CHECK(args[2] == "value");
  CHECK(args[2].data() == args.storage().data());
  CHECK(args[3].data() == line.data() + 19);
}

TEST_CASE("inline commands: quotes that do not balance are a protocol error") {
  for (const auto* line : kUnbalanced) {
    CAPTURE(line);
    CHECK(converse(line).error == "Protocol error: unbalanced quotes in request");
  }
}

TEST_CASE("inline commands: many words, in pieces") {
  std::string line;
  Words words;
  for (int index = 0; index < 5000; ++index) {
    words.push_back("\"w" + std::to_string(index) + "'");
    line += "'\"w" + std::to_string(index) + "\\'' ";
  }
  line += "\r\n";
  Conversing conversing;
  for (std::size_t at = 0; at < line.size(); at += 1000) {
    conversing.feed(std::string_view(line).substr(at, 1000));
  }
  CHECK(conversing.conversation().commands == std::vector<Words>{words});
}

TEST_CASE("inline commands: no longer than 64 KB") {
  CHECK(converse(std::string(65536, 'x')) == Conversation{});
  CHECK(converse(std::string(65537, 'x')).error == "Protocol error: too big inline request");
  CHECK(converse(std::string(65536, 'x') + "\n").commands.size() == 1);
  CHECK(converse(std::string(65537, 'x') + "\n").error == "Protocol error: too big inline request");
}

TEST_CASE("inline commands: a NUL byte hides the rest, as in Redis") {
  CHECK(converse("PI\0NG\nPING\n"s) == Conversation{});
  CHECK(converse("\0PING\r\n"s) == Conversation{});
  CHECK(converse("\0"s + std::string(65536, '\n')).error == "Protocol error: too big inline request");
}

}  // namespace magpie::resp
