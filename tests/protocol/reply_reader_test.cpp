#include "protocol/reply_reader.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/protocol/reply_text.h"

namespace magpie::resp {
namespace {

using std::string_literals::operator""s;
using Type = Reply::Type;

/// Reads from a block of just the input's size, so that sanitizers notice a read behind its end.
ReplyOutcome read(std::string_view input, Reply& reply, const ReplyLimits& limits = {}) {
  const auto copy = std::make_unique<char[]>(input.size());
  std::memcpy(copy.get(), input.data(), input.size());
  return read_reply({copy.get(), input.size()}, limits, reply);
}

Reply reply_of(std::string_view input) {
  Reply reply;
  const auto outcome = read(input, reply);
  REQUIRE(std::holds_alternative<ReplyParsed>(outcome));
  CHECK(std::get<ReplyParsed>(outcome).consumed == input.size());
  return reply;
}

bool malformed(std::string_view input, const ReplyLimits& limits = {}) {
  Reply reply;
  return std::holds_alternative<ReplyMalformed>(read(input, reply, limits));
}

bool incomplete(std::string_view input, const ReplyLimits& limits = {}) {
  Reply reply;
  return std::holds_alternative<ReplyNeedMore>(read(input, reply, limits));
}

const std::vector<std::string> kReplies = {
    "+OK\r\n",
    "+\r\n",
    "-ERR syntax error\r\n",
    ":0\r\n",
    ":-9223372036854775808\r\n",
    ":+7\r\n",
    "$0\r\n\r\n",
    "$5\r\na\r\n\0b\r\n"s,
    "$-1\r\n",
    "*-1\r\n",
    "*0\r\n",
    "*3\r\n:1\r\n$1\r\nx\r\n*1\r\n+y\r\n",
    "_\r\n",
    "#t\r\n",
    "#f\r\n",
    ",3.25\r\n",
    ",-inf\r\n",
    ",nan\r\n",
    ",1e+300\r\n",
    "(-3492890328409238509324850943850943825024385\r\n",
    "!21\r\nSYNTAX invalid syntax\r\n",
    "=15\r\ntxt:Some string\r\n",
    "=4\r\nmkd:\r\n",
    "%2\r\n+first\r\n:1\r\n+second\r\n*1\r\n_\r\n",
    "~3\r\n#t\r\n,0.5\r\n$1\r\nx\r\n",
    ">3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$2\r\nhi\r\n",
    "|1\r\n+ttl\r\n:3600\r\n",
    "*2\r\n|1\r\n+ttl\r\n:1\r\n|0\r\n:2\r\n:3\r\n",
};

}  // namespace

TEST_CASE("reply reader: every reply, and none of its prefixes") {
  for (const auto& bytes : kReplies) {
    CAPTURE(bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CAPTURE(size);
      REQUIRE(incomplete(bytes.substr(0, size)));
    }
    Reply reply;
    const auto outcome = read(bytes + "+next\r\n", reply);
    REQUIRE(std::holds_alternative<ReplyParsed>(outcome));
    CHECK(std::get<ReplyParsed>(outcome).consumed == bytes.size());
    CHECK(same(reply_of(encode(reply)), reply));
  }
}

TEST_CASE("reply reader: scalars") {
  CHECK(reply_of("+OK\r\n").type == Type::Simple);
  CHECK(reply_of("+OK\r\n").text == "OK");
  CHECK(reply_of("-ERR no\r\n").type == Type::Error);
  CHECK(reply_of("-ERR no\r\n").text == "ERR no");
  CHECK(reply_of(":-12\r\n").type == Type::Integer);
  CHECK(reply_of(":-12\r\n").integer == -12);
  CHECK(reply_of(":+12\r\n").integer == 12);
  CHECK(reply_of("$3\r\n\r\n\0\r\n"s).text == "\r\n\0"s);
  CHECK(reply_of("$-1\r\n").type == Type::Null);
  CHECK(reply_of("*-1\r\n").type == Type::Null);
  CHECK(reply_of("_\r\n").type == Type::Null);
  CHECK(reply_of("#t\r\n").type == Type::Boolean);
  CHECK(reply_of("#t\r\n").integer == 1);
  CHECK(reply_of("#f\r\n").integer == 0);
  CHECK(reply_of(",1.5\r\n").type == Type::Real);
  CHECK(reply_of(",1.5\r\n").real == 1.5);
  CHECK(reply_of(",1.5\r\n").text == "1.5");
  CHECK(reply_of(",-inf\r\n").real < 0);
  CHECK(std::isnan(reply_of(",nan\r\n").real));
  CHECK(std::isnan(reply_of(",-nan\r\n").real));
  CHECK(reply_of("(12345678901234567890123\r\n").type == Type::BigNumber);
  CHECK(reply_of("(12345678901234567890123\r\n").text == "12345678901234567890123");
  CHECK(reply_of("!5\r\nERR x\r\n").type == Type::BlobError);
  CHECK(reply_of("=7\r\ntxt:abc\r\n").type == Type::Verbatim);
  CHECK(reply_of("=7\r\ntxt:abc\r\n").text == "txt:abc");
}

TEST_CASE("reply reader: aggregates") {
  const Reply map = reply_of("%2\r\n+a\r\n:1\r\n+b\r\n*2\r\n:2\r\n_\r\n");
  CHECK(map.type == Type::Map);
  REQUIRE(map.elements.size() == 4);
  CHECK(map.elements[2].text == "b");
  CHECK(map.elements[3].elements[0].integer == 2);
  CHECK(reply_of("~1\r\n:1\r\n").type == Type::Set);
  CHECK(reply_of(">1\r\n:1\r\n").type == Type::Push);
  CHECK(reply_of("*0\r\n").elements.empty());
  const Reply attribute = reply_of("|1\r\n+ttl\r\n:5\r\n");
  CHECK(attribute.type == Type::Attribute);
  CHECK(attribute.elements.size() == 2);
  const Reply array = reply_of("*2\r\n|1\r\n+ttl\r\n:5\r\n:1\r\n:2\r\n");
  REQUIRE(array.elements.size() == 2);
  CHECK(array.elements[0].integer == 1);
}

TEST_CASE("reply reader: an object that was used before is filled anew") {
  Reply reply;
  read("*2\r\n:1\r\n:2\r\n", reply);
  read("+OK\r\n", reply);
  CHECK(reply.elements.empty());
  CHECK(reply.text == "OK");
}

TEST_CASE("reply reader: malformed replies") {
  for (const auto& bytes : {"OK\r\n"s,         "\r\n"s,        "+OK\rX"s,
                            ":\r\n"s,          ":x\r\n"s,      ":01\r\n"s,
                            ":+-1\r\n"s,       ":++1\r\n"s,    ":9223372036854775808\r\n"s,
                            "$-2\r\n"s,        "$x\r\n"s,      "$?\r\n"s,
                            "*?\r\n"s,         "*-2\r\n"s,     "$1\r\nxyz"s,
                            "%-1\r\n"s,        "~-1\r\n"s,     ">-1\r\n"s,
                            "!-1\r\n"s,        "=-1\r\n"s,     "=3\r\ntxt\r\n"s,
                            "=4\r\ntxt-\r\n"s, "#x\r\n"s,      "#\r\n"s,
                            "#true\r\n"s,      "_x\r\n"s,      ",x\r\n"s,
                            ",\r\n"s,          "(\r\n"s,       "(-\r\n"s,
                            "(1x\r\n"s,        "*1\r\n?\r\n"s, ":" + std::string(40, '1'),
                            ".\r\n"s}) {
    CAPTURE(bytes);
    CHECK(malformed(bytes));
  }
}

TEST_CASE("reply reader: limits") {
  ReplyLimits limits;
  limits.max_bulk = 4;
  CHECK(malformed("$5\r\n", limits));
  CHECK(incomplete("$4\r\n", limits));
  CHECK(incomplete("+abcd", limits));
  CHECK(malformed("+abcde", limits));
  limits.max_elements = 4;
  CHECK(incomplete("*4\r\n", limits));
  CHECK(malformed("*5\r\n", limits));
  CHECK(incomplete("%2\r\n", limits));
  CHECK(malformed("%3\r\n", limits));
  CHECK(malformed("*9223372036854775807\r\n"));
  CHECK(malformed("%9223372036854775807\r\n"));
  limits.max_depth = 2;
  CHECK(incomplete("*1\r\n*1\r\n", limits));
  CHECK(malformed("*1\r\n*1\r\n*1\r\n", limits));
  CHECK(malformed("*1\r\n|1\r\n%1\r\n", limits));
}

TEST_CASE("reply reader: a count takes no memory before its elements arrive") {
  Reply reply;
  CHECK(std::holds_alternative<ReplyNeedMore>(read("*1073741824\r\n:1\r\n", reply)));
  CHECK(reply.elements.capacity() <= 64);
}

}  // namespace magpie::resp
