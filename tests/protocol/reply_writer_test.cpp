#include "protocol/reply_writer.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "protocol/reply_reader.h"

namespace magpie::resp {
namespace {

template <class Write>
std::string written(Version version, Write write) {
  OutputBuffer buffer;
  buffer.own().append("before");
  ReplyWriter writer(buffer, version);
  write(writer);
  REQUIRE(buffer.own().view().starts_with("before"));
  return std::string(buffer.own().view().substr(6));
}

template <class Write>
void check_both(const std::string& resp2, const std::string& resp3, Write write) {
  CHECK(written(Version::Resp2, write) == resp2);
  CHECK(written(Version::Resp3, write) == resp3);
}

template <class Write>
void check_same(const std::string& bytes, Write write) {
  check_both(bytes, bytes, write);
}

}  // namespace

TEST_CASE("reply writer: lines") {
  check_same("+OK\r\n", [](ReplyWriter& reply) { reply.ok(); });
  check_same("+PONG\r\n", [](ReplyWriter& reply) { reply.simple("PONG"); });
  check_same("+\r\n", [](ReplyWriter& reply) { reply.simple({}); });
  check_same("-ERR syntax error\r\n", [](ReplyWriter& reply) { reply.error("ERR syntax error"); });
  check_same("-ERR a  b\r\n", [](ReplyWriter& reply) { reply.error("ERR a\r\nb\r\n\n"); });
  check_same("-  ab\r\n", [](ReplyWriter& reply) { reply.error("\r\nab\n"); });
}

TEST_CASE("reply writer: integers of every length") {
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{7}, std::int64_t{9}, std::int64_t{10}, std::int64_t{42}, std::int64_t{99},
        std::int64_t{100}, std::int64_t{12345}, std::int64_t{-1}, std::int64_t{-99},
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    check_same(":" + std::to_string(value) + "\r\n", [&](ReplyWriter& reply) { reply.integer(value); });
  }
}

TEST_CASE("reply writer: bulks of every size around the borders") {
  for (const std::size_t size : {0, 1, 9, 10, 99, 100, 999, 1000, 1001, 9999, 10'000, 100'000}) {
    std::string bytes(size, '\r');
    if (size > 0) bytes.back() = '\0';
    check_same("$" + std::to_string(size) + "\r\n" + bytes + "\r\n", [&](ReplyWriter& reply) { reply.bulk(bytes); });
  }
  check_same("$0\r\n\r\n", [](ReplyWriter& reply) { reply.bulk({}); });
}

TEST_CASE("reply writer: a large bulk takes its size and no more") {
  OutputBuffer buffer;
  std::string bytes;
  bytes.resize(10'000'000, 'x');
  ReplyWriter(buffer, Version::Resp2).bulk(bytes);
  CHECK(buffer.size() == 10'000'000 + 13);
  CHECK(buffer.own().capacity() < 10'000'000 + (std::size_t{32} << 10));
}

TEST_CASE("reply writer: nulls and aggregates in both versions") {
  check_both("$-1\r\n", "_\r\n", [](ReplyWriter& reply) { reply.null(); });
  check_both("*-1\r\n", "_\r\n", [](ReplyWriter& reply) { reply.null_array(); });
  check_same("*0\r\n", [](ReplyWriter& reply) { reply.array(0); });
  check_same("*1000000\r\n", [](ReplyWriter& reply) { reply.array(1'000'000); });
  check_both("*6\r\n", "%3\r\n", [](ReplyWriter& reply) { reply.map(3); });
  check_both("*3\r\n", "~3\r\n", [](ReplyWriter& reply) { reply.set(3); });
  check_both("*2\r\n", ">2\r\n", [](ReplyWriter& reply) { reply.push(2); });
  CHECK(written(Version::Resp3, [](ReplyWriter& reply) { reply.attribute(1); }) == "|1\r\n");
}

TEST_CASE("reply writer: scalars of RESP3 and what RESP2 gets for them") {
  check_both(":1\r\n", "#t\r\n", [](ReplyWriter& reply) { reply.boolean(true); });
  check_both(":0\r\n", "#f\r\n", [](ReplyWriter& reply) { reply.boolean(false); });
  check_both("$5\r\n3.141\r\n", ",3.141\r\n", [](ReplyWriter& reply) { reply.real(3.141); });
  check_both("$5\r\n1e+17\r\n", ",1e+17\r\n", [](ReplyWriter& reply) { reply.real(1e17); });
  check_both("$19\r\n0.10000000000000001\r\n", ",0.10000000000000001\r\n", [](ReplyWriter& reply) { reply.real(0.1); });
  const double infinity = std::numeric_limits<double>::infinity();
  check_both("$3\r\ninf\r\n", ",inf\r\n", [&](ReplyWriter& reply) { reply.real(infinity); });
  check_both("$4\r\n-inf\r\n", ",-inf\r\n", [&](ReplyWriter& reply) { reply.real(-infinity); });
  check_both("$37\r\n1234567999999999999999999999999999999\r\n", "(1234567999999999999999999999999999999\r\n",
             [](ReplyWriter& reply) { reply.big_number("1234567999999999999999999999999999999"); });
  check_both("$25\r\nThis is a verbatim\nstring\r\n", "=29\r\ntxt:This is a verbatim\nstring\r\n",
             [](ReplyWriter& reply) { reply.verbatim("txt", "This is a verbatim\nstring"); });
  check_both("$0\r\n\r\n", "=4\r\nmd :\r\n", [](ReplyWriter& reply) { reply.verbatim("md", {}); });
}

TEST_CASE("reply writer: the version can change between replies") {
  OutputBuffer buffer;
  ReplyWriter reply(buffer, Version::Resp2);
  reply.null();
  reply.set_version(Version::Resp3);
  reply.null();
  CHECK(reply.buffer().own().view() == "$-1\r\n_\r\n");
}

TEST_CASE("reply writer: the reader understands all of it") {
  OutputBuffer buffer;
  ReplyWriter writer(buffer, Version::Resp3);
  writer.map(2);
  writer.bulk("key");
  writer.set(2);
  writer.integer(-5);
  writer.real(0.5);
  writer.simple("other");
  writer.array(3);
  writer.null();
  writer.boolean(true);
  writer.verbatim("txt", "text");
  Reply reply;
  const auto outcome = read_reply(buffer.own().view(), {}, reply);
  REQUIRE(std::holds_alternative<ReplyParsed>(outcome));
  CHECK(std::get<ReplyParsed>(outcome).consumed == buffer.size());
  REQUIRE(reply.elements.size() == 4);
  CHECK(reply.elements[1].elements[0].integer == -5);
  CHECK(reply.elements[1].elements[1].real == 0.5);
  CHECK(reply.elements[3].elements[2].text == "txt:text");
}

}  // namespace magpie::resp
