#include <doctest/doctest.h>

#include <array>
#include <set>

#include "protocol/reply_reader.h"
#include "server/commands/argument_spec.h"
#include "server/commands/command_facts.h"
#include "server/commands/command_table.h"
#include "server/commands/key_search.h"
#include "tests/commands/test_server.h"

using namespace magpie;
using commands::KeySearch;
using testing::TestServer;

namespace {

resp::Reply read(const std::string& bytes) {
  resp::Reply reply;
  const resp::ReplyOutcome outcome = resp::read_reply(bytes, {}, reply);
  REQUIRE(std::holds_alternative<resp::ReplyParsed>(outcome));
  CHECK(std::get<resp::ReplyParsed>(outcome).consumed == bytes.size());
  return reply;
}

/// The value of a field in a map's elements; nullptr if there is none.
const resp::Reply* value_of(const resp::Reply& map, const std::string& field) {
  for (std::size_t i = 0; i + 1 < map.elements.size(); i += 2) {
    if (map.elements[i].text == field) return &map.elements[i + 1];
  }
  return nullptr;
}

void check_arguments(const resp::Reply& arguments) {
  static const std::set<std::string> kTypes{"string",    "integer",    "double", "key",  "pattern",
                                            "unix-time", "pure-token", "oneof",  "block"};
  CHECK(!arguments.elements.empty());
  for (const resp::Reply& argument : arguments.elements) {
    REQUIRE(value_of(argument, "name") != nullptr);
    CHECK(!value_of(argument, "name")->text.empty());
    const std::string type = value_of(argument, "type")->text;
    INFO(value_of(argument, "name")->text, " ", type);
    CHECK(kTypes.contains(type));
    const resp::Reply* inner = value_of(argument, "arguments");
    CHECK((inner != nullptr) == (type == "oneof" || type == "block"));
    if (inner != nullptr) check_arguments(*inner);
  }
}

std::string arguments_of(const char* spec) {
  OutputBuffer buffer;
  resp::ReplyWriter writer(buffer, resp::Version::Resp2);
  commands::reply_arguments(writer, spec);
  return std::string(buffer.own().view());
}

std::vector<std::uint32_t> found_by(const KeySearch& search, std::initializer_list<ByteView> arguments) {
  std::vector<commands::FoundKey> found;
  const std::vector<ByteView> list(arguments);
  if (!commands::search_keys(search, list, found)) return {0};
  std::vector<std::uint32_t> positions;
  positions.reserve(found.size());
  for (const auto& key : found) positions.push_back(key.position);
  return positions;
}

using Positions = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("COMMAND, COUNT, LIST and DOCS tell of the same commands") {
  TestServer server;
  const resp::Reply all = read(server.run("COMMAND"));
  CHECK(all.elements.size() == commands::top_level_commands().size());
  CHECK(server.run("COMMAND COUNT") == ":" + std::to_string(all.elements.size()) + "\r\n");
  CHECK(read(server.run("COMMAND LIST")).elements.size() == commands::all_commands().size());
  CHECK(read(server.run("COMMAND DOCS")).elements.size() == all.elements.size() * 2);
}

TEST_CASE("the arguments of every row are well-formed") {
  TestServer server;
  for (const commands::Command* command : commands::all_commands()) {
    if (command->row->arguments.empty()) continue;
    INFO(command->full_name);
    const resp::Reply docs = read(server.run({"COMMAND", "DOCS", command->full_name}));
    REQUIRE(docs.elements.size() == 2);
    const resp::Reply* arguments = value_of(docs.elements[1], "arguments");
    REQUIRE(arguments != nullptr);
    check_arguments(*arguments);
  }
}

TEST_CASE("every row has a handler or subcommands, and every key a specification") {
  for (const commands::Command* command : commands::all_commands()) {
    INFO(command->full_name);
    CHECK((command->row->handler != nullptr || !command->subcommands.empty()));
    CHECK(!command->row->summary.empty());
    CHECK(!command->row->since.empty());
    CHECK(command->row->arity != 0);
  }
}

TEST_CASE("the notation of arguments") {
  CHECK(arguments_of("key") == "*1\r\n*4\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$6\r\nstring\r\n");
  CHECK(arguments_of("n:integer=EX?*+@1.0~2.0") ==
        "*1\r\n*12\r\n$4\r\nname\r\n$1\r\nn\r\n$4\r\ntype\r\n$7\r\ninteger\r\n$5\r\ntoken\r\n$2\r\nEX\r\n"
        "$5\r\nsince\r\n$3\r\n1.0\r\n$16\r\ndeprecated_since\r\n$3\r\n2.0\r\n"
        "$5\r\nflags\r\n*3\r\n+optional\r\n+multiple\r\n+multiple_token\r\n");
  CHECK(arguments_of("a:key#1 b:oneof(c:pure-token='~' 'd:e')") ==
        "*2\r\n*6\r\n$4\r\nname\r\n$1\r\na\r\n$4\r\ntype\r\n$3\r\nkey\r\n$14\r\nkey_spec_index\r\n:1\r\n"
        "*6\r\n$4\r\nname\r\n$1\r\nb\r\n$4\r\ntype\r\n$5\r\noneof\r\n$9\r\narguments\r\n*2\r\n"
        "*6\r\n$4\r\nname\r\n$1\r\nc\r\n$4\r\ntype\r\n$10\r\npure-token\r\n$5\r\ntoken\r\n$1\r\n~\r\n"
        "*4\r\n$4\r\nname\r\n$3\r\nd:e\r\n$4\r\ntype\r\n$6\r\nstring\r\n");
}

TEST_CASE("key searches find what their specification says") {
  using Find = KeySearch::Find;
  CHECK(found_by({.index = 1}, {"get", "k"}) == Positions{1});
  CHECK(found_by({.index = 1, .last = -1}, {"del", "a", "b", "c"}) == Positions{1, 2, 3});
  CHECK(found_by({.index = 1, .last = -1, .step = 2}, {"mset", "a", "1", "b", "2"}) == Positions{1, 3});
  CHECK(found_by({.index = 2}, {"short"}) == Positions{0});
  const KeySearch numbered{.index = 1, .find = Find::KeyNumber};
  CHECK(found_by(numbered, {"zunion", "2", "a", "b", "WEIGHTS"}) == Positions{2, 3});
  CHECK(found_by(numbered, {"zunion", "0"}) == Positions{});
  CHECK(found_by(numbered, {"zunion", "3", "a", "b"}) == Positions{0});
  CHECK(found_by(numbered, {"zunion", "x", "a"}) == Positions{0});
  CHECK(found_by(numbered, {"zunion", "9223372036854775807", "a"}) == Positions{0});
  const KeySearch streams{.begin = KeySearch::Begin::Keyword, .index = 1, .keyword = "STREAMS", .last = -1, .limit = 2};
  CHECK(found_by(streams, {"xread", "COUNT", "1", "streams", "a", "b", "0", "0"}) == Positions{4, 5});
  CHECK(found_by(streams, {"xread", "COUNT", "1"}) == Positions{});
  const KeySearch from_end{.begin = KeySearch::Begin::Keyword, .index = -2, .keyword = "KEYS", .last = -1};
  CHECK(found_by(from_end, {"migrate", "h", "p", "", "0", "5", "KEYS", "a", "b"}) == Positions{7, 8});
  CHECK(found_by({.begin = KeySearch::Begin::Unknown, .find = Find::Unknown}, {"sort", "a"}) == Positions{});
}

TEST_CASE("COMMAND GETKEYS answers Redis's errors") {
  TestServer server;
  CHECK(server.run("COMMAND GETKEYS GET k") == "*1\r\n$1\r\nk\r\n");
  CHECK(server.run("COMMAND GETKEYS RENAME a b") == "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  CHECK(server.run("COMMAND GETKEYS NOSUCH a") == "-ERR Invalid command specified\r\n");
  CHECK(server.run("COMMAND GETKEYS GET a b") == "-ERR Invalid number of arguments specified for command\r\n");
  CHECK(server.run("COMMAND GETKEYS CONFIG GET x") == "-ERR The command has no key arguments\r\n");
}

TEST_CASE("ACL categories follow from flags") {
  using namespace magpie::commands;
  CHECK(categories_of({.name = "x", .flags = kWrite | kFast, .categories = kCatString, .since = "", .summary = ""}) ==
        (kCatWrite | kCatFast | kCatString));
  CHECK(categories_of({.name = "x", .flags = kAdmin, .since = "", .summary = ""}) ==
        (kCatAdmin | kCatDangerous | kCatSlow));
  CHECK(categories_of({.name = "x", .flags = kReadOnly, .categories = kCatScripting, .since = "", .summary = ""}) ==
        (kCatScripting | kCatSlow));
  CHECK(category_named("SortedSet") == kCatSortedSet);
  CHECK(category_named("nosuch") == 0);
}

TEST_CASE("COMMAND LIST filters") {
  TestServer server;
  CHECK(server.run("COMMAND LIST FILTERBY MODULE any") == "*0\r\n");
  CHECK(server.run("COMMAND LIST FILTERBY ACLCAT nosuch") == "*0\r\n");
  CHECK(server.run("COMMAND LIST FILTERBY PATTERN slowlog|l*") == "*1\r\n$11\r\nslowlog|len\r\n");
  CHECK(server.run("COMMAND LIST FILTERBY PATTERN") == "-ERR syntax error\r\n");
}
