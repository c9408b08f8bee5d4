#include "protocol/command_parser.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "tests/protocol/command_text.h"

namespace magpie::resp {
namespace {

using std::string_literals::operator""s;

const std::string kSet = encode({"SET", "key:000000000001", "value-of-thirty-two-bytes-exactly"});

std::vector<std::string> streams() {
  return {
      kSet,
      encode({"PING"}) + kSet + "PING\r\n" + encode({"GET", ""}) + encode({"", "", ""}),
      encode({"SET", "k", "a\r\n$3\r\n*1\r\n\0 b"s}),
      encode({"SET", "k", std::string(300, 'x')}) + encode({"DEL", std::string(1000, 'k')}),
      encode(Words(120, "argument")),
      "*0\r\n*-1\r\n*-5\r\nPING\r\n",
      "*1\rx$4\rxPINGyy*1\r\n$4\r\nPINGzz",  // line ends are skipped unseen
      "\r\n\n   \r\nPING\r\n",
      "set \"a\\x41\\n\" 'it\\'s' x\r\nget a\n",
      encode({"PING"}) + "*2\r\n$3\r\nGET\r\n+x\r\n",
      "*1\r\n$-1\r\n",
      "*01\r\n",
      "PING \"a\r\n",
  };
}

std::string error_of(std::string_view stream, const ParseLimits& limits = {}) { return converse(stream, limits).error; }

}  // namespace

TEST_CASE("command parser: a whole command is read with views into the input") {
  const std::string input = kSet + "PING\r\n";
  ParseCursor cursor;
  Args args;
  const auto outcome = parse_command(input, {}, cursor, args);
  REQUIRE(std::holds_alternative<Parsed>(outcome));
  CHECK(std::get<Parsed>(outcome).consumed == kSet.size());
  REQUIRE(args.size() == 3);
  CHECK(args[0] == "SET");
  CHECK(args[1] == "key:000000000001");
  CHECK(args[2] == "value-of-thirty-two-bytes-exactly");
  for (const auto view : args.views()) {
    CHECK(view.data() > input.data());
    CHECK(view.data() + view.size() < input.data() + kSet.size());
  }
  CHECK(cursor.at_start());
  CHECK(cursor.parsed.empty());
}

TEST_CASE("command parser: every stream reads the same in two pieces, at every split point") {
  for (const auto& stream : streams()) {
    const Conversation whole = converse(stream);
    CHECK(whole.commands.size() + whole.error.size() > 0);
    for (std::size_t split = 0; split <= stream.size(); ++split) {
      CAPTURE(stream);
      CAPTURE(split);
      Conversing conversing;
      conversing.feed(std::string_view(stream).substr(0, split));
      conversing.feed(std::string_view(stream).substr(split));
      REQUIRE(conversing.conversation() == whole);
    }
  }
}

TEST_CASE("command parser: every stream reads the same byte by byte") {
  for (const auto& stream : streams()) {
    CAPTURE(stream);
    Conversing conversing;
    for (const char byte : stream) conversing.feed({&byte, 1});
    CHECK(conversing.conversation() == converse(stream));
  }
}

TEST_CASE("command parser: a prefix of a command is never a command, an error or anything but a wait") {
  for (std::size_t size = 1; size < kSet.size(); ++size) {
    Conversing conversing;
    conversing.feed(std::string_view(kSet).substr(0, size));
    CHECK(conversing.conversation() == Conversation{});
    CHECK(conversing.pending() == size);
  }
}

TEST_CASE("command parser: empty commands are commands without arguments") {
  const auto read = converse("*0\r\n*-1\r\n\r\n\n  \r\nPING\r\n");
  CHECK(read.error.empty());
  CHECK(read.commands == std::vector<Words>{{}, {}, {}, {}, {}, {"PING"}});
}

TEST_CASE("command parser: inside a bulk the bytes needed are known exactly") {
  const std::string command = encode({"SET", "k", std::string(100'000, 'v')});
  const std::size_t body = command.find("$100000\r\n") + 9;
  Conversing conversing;
  conversing.feed(std::string_view(command).substr(0, body));
  CHECK(conversing.at_least() == command.size());
  for (std::size_t fed = body; fed + 1 < command.size(); fed += 777) {
    conversing.feed(std::string_view(command).substr(fed, std::min<std::size_t>(777, command.size() - 1 - fed)));
    CHECK(conversing.at_least() == command.size());
    CHECK(conversing.conversation().commands.empty());
  }
  conversing.feed("\n");
  CHECK(conversing.conversation().commands == std::vector<Words>{{"SET", "k", std::string(100'000, 'v')}});

  Conversing second;  // the first of several arguments: up to its own end
  second.feed("*3\r\n$3\r\nS");
  CHECK(second.at_least() == 4 + 4 + 3 + 2);
  Conversing between;
  between.feed("*3\r\n$3\r\nSET\r\n$1");
  CHECK(between.at_least() == 0);
}

TEST_CASE("command parser: what is understood is not looked at again") {
  // Bytes already understood are overwritten between the calls: only offsets into them may be used.
  std::string input = "*4\r\n$4\r\nMSET\r\n$1\r\na\r\n$1\r\nb";
  ParseCursor cursor;
  Args args;
  REQUIRE(std::holds_alternative<NeedMore>(parse_command(input, {}, cursor, args)));
  CHECK(args.empty());
  CHECK(cursor.parsed.size() == 2);
  CHECK(cursor.taken() == cursor.position);
  CHECK(cursor.args_left == 2);
  CHECK(cursor.bulk_length == 1);
  for (std::size_t at = 1; at < cursor.position; ++at) input[at] = '#';
  input += "\r\n$1\r\nc\r\n";
  const auto outcome = parse_command(input, {}, cursor, args);
  REQUIRE(std::holds_alternative<Parsed>(outcome));
  CHECK(std::get<Parsed>(outcome).consumed == input.size());
  CHECK(words_of(args) == Words{"####", "#", "b", "c"});
  CHECK(cursor.at_start());
}

TEST_CASE("command parser: a long MSET in pieces keeps its place and gives its memory back") {
  constexpr std::size_t kArguments = 20'000;
  const Words words(kArguments, "0123456789");
  const std::string stream = encode(words);
  Conversing conversing;
  std::size_t position = 0;
  for (std::size_t at = 0; at < stream.size(); at += 4096) {
    conversing.feed(std::string_view(stream).substr(at, 4096));
    if (conversing.conversation().commands.empty()) {
      CHECK(conversing.cursor().position > position);
      position = conversing.cursor().position;
    }
  }
  CHECK(conversing.conversation().commands == std::vector<Words>{words});
  CHECK(conversing.cursor().parsed.capacity() <= 64);
}

TEST_CASE("command parser: a count takes no memory before its arguments arrive") {
  const std::string input = "*2147483647\r\n$1\r\na\r\n";
  ParseCursor cursor;
  Args args;
  REQUIRE(std::holds_alternative<NeedMore>(parse_command(input, {}, cursor, args)));
  CHECK(cursor.args_left == 2147483646);
  CHECK(cursor.parsed.capacity() < 1024);
}

TEST_CASE("command parser: one object serves many commands, and an unfinished one leaves no arguments") {
  ParseCursor cursor;
  Args args;
  const std::string inline_command = "echo \"quoted \\x41\"\n";
  REQUIRE(std::holds_alternative<Parsed>(parse_command(inline_command, {}, cursor, args)));
  CHECK(args[1] == "quoted A");
  REQUIRE(std::holds_alternative<Parsed>(parse_command(kSet, {}, cursor, args)));
  CHECK(args.size() == 3);
  REQUIRE(std::holds_alternative<NeedMore>(parse_command("*1\r\n", {}, cursor, args)));
  CHECK(args.empty());
}

TEST_CASE("command parser: protocol errors have Redis's words") {
  const std::string count = "Protocol error: invalid multibulk length";
  for (const auto* line : {"*\r\n", "*01\r\n", "*+1\r\n", "*-0\r\n", "*1 \r\n", "* 1\r\n", "*x\r\n", "*2147483648\r\n",
                           "*99999999999999999999\r\n", "*00\r\n"}) {
    CAPTURE(line);
    CHECK(error_of(line) == count);
  }
  CHECK(error_of("*2147483647\r\n").empty());

  const std::string length = "Protocol error: invalid bulk length";
  for (const auto* line : {"$-1\r\n", "$04\r\n", "$\r\n", "$536870913\r\n", "$99999999999999999999\r\n", "$+4\r\n",
                           "$4 \r\n", "$00\r\n", "$-0\r\n"}) {
    CAPTURE(line);
    CHECK(error_of("*1\r\n"s + line) == length);
  }
  CHECK(error_of("*1\r\n$536870912\r\n").empty());

  CHECK(error_of("*1\r\n#4\r\n") == "Protocol error: expected '$', got '#'");
  CHECK(error_of("*1\r\n%s\r\n") == "Protocol error: expected '$', got '%'");
  CHECK(error_of("*1\r\n\r\nX") == "Protocol error: expected '$', got ' '");
  CHECK(error_of("*1\r\n\n\r\n") == "Protocol error: expected '$', got ' '");
  CHECK(error_of("*1\r\n#4\r").empty());  // the line has to be whole first
}

TEST_CASE("command parser: the limits are the caller's") {
  ParseLimits limits;
  limits.max_bulk = 5;
  limits.max_args = 2;
  CHECK(converse(encode({"ab", "12345"}), limits).commands.size() == 1);
  CHECK(error_of(encode({"ab", "123456"}), limits) == "Protocol error: invalid bulk length");
  CHECK(error_of(encode({"a", "b", "c"}), limits) == "Protocol error: invalid multibulk length");
  limits.max_bulk = std::numeric_limits<std::uint64_t>::max();
  const auto outcome = error_of("*1\r\n$9223372036854775807\r\nx", limits);
  CHECK(outcome.empty());
}

TEST_CASE("command parser: before authentication commands are small") {
  ParseLimits limits;
  limits.authenticated = false;
  const Words ten(10, std::string(16384, 'x'));
  CHECK(converse(encode(ten), limits).commands.size() == 1);
  CHECK(error_of("*11\r\n", limits) == "Protocol error: unauthenticated multibulk length");
  CHECK(error_of("*536870913\r\n", limits) == "Protocol error: unauthenticated multibulk length");
  CHECK(error_of("*2147483648\r\n", limits) == "Protocol error: invalid multibulk length");
  CHECK(error_of("*10\r\n$16385\r\n", limits) == "Protocol error: unauthenticated bulk length");
  CHECK(error_of("*1\r\n$536870913\r\n", limits) == "Protocol error: invalid bulk length");
  CHECK(converse(encode({"AUTH", "password"}), limits).commands.size() == 1);
}

TEST_CASE("command parser: lines that do not end are too long at 64 KB") {
  const std::string digits(65535, '1');
  CHECK(error_of("*" + digits).empty());
  CHECK(error_of("*" + digits + "1") == "Protocol error: too big mbulk count string");
  CHECK(error_of("*1\r\n$" + digits).empty());
  CHECK(error_of("*1\r\n$" + digits + "1") == "Protocol error: too big bulk count string");
  CHECK(error_of("*1\r\n" + std::string(65537, 'x')) == "Protocol error: too big bulk count string");
  // A NUL byte hides the line end, as it does in Redis.
  CHECK(converse("*1\0\r\n$4\r\nPING\r\n"s) == Conversation{});
  CHECK(converse("*1\r\n\0\r\n"s) == Conversation{});
  CHECK(error_of("*1\0\r\n"s + std::string(65536, 'x')) == "Protocol error: too big mbulk count string");
}

}  // namespace magpie::resp
