#include <doctest/doctest.h>

#include "tests/commands/test_server.h"

using magpie::ByteView;
using magpie::engine::StringForm;
using magpie::testing::TestServer;

namespace {

StringForm form_of(TestServer& server, ByteView name) {
  const auto key = magpie::engine::Key::of(name);
  const auto guard = server.keyspace().lock(magpie::engine::mask_of(key.stripe));
  return server.keyspace().peek(magpie::Db{0}, key, server.now())->string().form;
}

}  // namespace

TEST_CASE("a counter is kept as a number, whatever form it had") {
  TestServer server;
  server.run("APPEND k 1");
  server.run("APPEND k 2");
  CHECK(form_of(server, "k") == StringForm::Raw);
  CHECK(server.run("INCR k") == ":13\r\n");
  CHECK(form_of(server, "k") == StringForm::Integer);
  CHECK(server.run("INCRBYFLOAT k 1") == "$2\r\n14\r\n");
  CHECK(form_of(server, "k") == StringForm::Plain);
  CHECK(server.run("DECRBY k 20") == ":-6\r\n");
  CHECK(form_of(server, "k") == StringForm::Integer);
}

TEST_CASE("a counter stops at the ends of 64 bits and keeps its value") {
  TestServer server;
  server.run("SET k 9223372036854775807");
  const std::string overflow = "-ERR increment or decrement would overflow\r\n";
  CHECK(server.run("INCR k") == overflow);
  CHECK(server.run("DECRBY k -1") == overflow);
  CHECK(server.run("DECRBY k -9223372036854775808") == "-ERR decrement would overflow\r\n");
  CHECK(server.run("GET k") == "$19\r\n9223372036854775807\r\n");
}

TEST_CASE("counting up and down a hundred thousand times needs one entry") {
  TestServer server;
  server.run("SET k 0");
  constexpr std::int64_t kWider = 24;  // than a number of one byte, and what the arena notes of a page that went
  const std::int64_t before = magpie::engine::used_memory();
  for (int i = 0; i < 100'000; ++i) server.run(i % 3 == 0 ? "DECR k" : "INCRBY k 3");
  CHECK(magpie::engine::used_memory() <= before + kWider);
}

TEST_CASE("INCRBYFLOAT reads the type, then the value, then the increment") {
  TestServer server;
  server.run("SET k abc");
  CHECK(server.run("INCRBYFLOAT k 1") == "-ERR value is not a valid float\r\n");
  server.run("SET k 0x10");
  CHECK(server.run("INCRBYFLOAT k 0x1p-1") == "$4\r\n16.5\r\n");
  server.run("SET k 1e4932");
  CHECK(server.run("INCRBYFLOAT k 1e4932") == "-ERR increment would produce NaN or Infinity\r\n");
}
