// Replies that refer to a large value instead of copying it.

#include <doctest/doctest.h>

#include "server/commands/string_reply.h"
#include "tests/commands/test_server.h"
#include "tests/protocol/output_text.h"

using magpie::Db;
using magpie::OutputBuffer;
using magpie::commands::kReferredFrom;
using magpie::engine::Entry;
using magpie::engine::EntryBlock;
using magpie::engine::Key;
using magpie::testing::TestServer;
using magpie::testing::text_of;

namespace {

std::string bulk(const std::string& text) { return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n"; }

/// A server with a large value at `k`, and one reply that is not sent yet.
struct Fixture {
  Fixture() { server.run({"SET", "k", value}); }
  const std::string value = std::string(kReferredFrom, 'a') + std::string(kReferredFrom, 'z');
  TestServer server;
  OutputBuffer out;

  void run(const std::string& line) {
    magpie::resp::ParseCursor progress;
    server.dispatcher().run(server.client(), line + "\r\n", progress, out, server.now());
  }
  bool referenced() {
    const Entry* const entry = server.keyspace().peek(Db{0}, Key::of("k"), server.now());
    return entry != nullptr && entry->in_own_block() && EntryBlock::is_referenced(*entry);
  }
};

}  // namespace

TEST_CASE("commands that reply with a large value refer to it, and what changes it later does not show") {
  for (const char* command : {"GET k", "GETEX k", "GETEX k EX 100", "GETEX k PXAT 1", "GETDEL k", "GETSET k new",
                              "SET k new GET", "SET k new NX GET", "GETRANGE k 0 -1"}) {
    for (const char* change :
         {"DEL k", "SETRANGE k 0 changed", "APPEND k more", "SET k other", "FLUSHALL", "EXPIRE k 10"}) {
      CAPTURE(command);
      CAPTURE(change);
      Fixture data;
      data.run(command);
      CHECK(data.out.shared_memory() == data.value.size());
      data.server.run(change);
      CHECK(text_of(data.out) == bulk(data.value));
    }
  }
}

TEST_CASE("MGET and EXEC refer to each value as it was then") {
  Fixture data;
  data.run("MGET k none k");
  CHECK(data.out.shared_memory() == 2 * data.value.size());
  CHECK(text_of(data.out) == "*3\r\n" + bulk(data.value) + "$-1\r\n" + bulk(data.value));
  data.out.clear();
  CHECK_FALSE(data.referenced());
  data.run("MULTI");
  data.run("GET k");
  data.run("SETRANGE k 0 b");
  data.run("GET k");
  data.out.clear();
  data.run("EXEC");
  std::string changed = data.value;
  changed[0] = 'b';
  CHECK(text_of(data.out) ==
        "*3\r\n" + bulk(data.value) + ":" + std::to_string(changed.size()) + "\r\n" + bulk(changed));
  CHECK(data.out.shared_memory() == 2 * changed.size());
}

TEST_CASE("small values, and small parts of large ones, are copied") {
  Fixture data;
  data.server.run({"SET", "small", std::string(kReferredFrom - 1, 's')});
  data.server.run({"SET", "huge", std::string(kReferredFrom * 10, 'h')});
  data.run("GET small");
  data.run("GETRANGE k 0 1000");
  data.run("GETRANGE huge 0 " + std::to_string(kReferredFrom));
  CHECK_FALSE(data.out.has_shared());
  data.run("GETRANGE huge -" + std::to_string(kReferredFrom * 3) + " -1");
  CHECK(data.out.shared_memory() == kReferredFrom * 3);
  data.out.clear();
  data.run("GETRANGE k 1 " + std::to_string(kReferredFrom));
  CHECK(data.out.shared_memory() == kReferredFrom);
  CHECK(text_of(data.out) == bulk(data.value.substr(1, kReferredFrom)));
}

TEST_CASE("a reply that CLIENT REPLY does not let through refers to nothing") {
  Fixture data;
  data.run("CLIENT REPLY OFF");
  data.run("GET k");
  CHECK_FALSE(data.referenced());
  CHECK(data.out.empty());
  data.run("CLIENT REPLY ON");
  data.run("GET k");
  CHECK(data.referenced());
  data.run("CLIENT REPLY SKIP");
  data.run("GETDEL k");
  CHECK(text_of(data.out) == "+OK\r\n" + bulk(data.value));
}

TEST_CASE("large replies stop a burst like copied ones") {
  Fixture data;
  data.server.run({"SET", "k", std::string(100'000, 'x')});
  magpie::resp::ParseCursor progress;
  const auto outcome =
      data.server.dispatcher().run(data.server.client(), "GET k\r\nGET k\r\n", progress, data.out, data.server.now());
  CHECK(outcome.state == magpie::server::Dispatcher::State::OutputFull);
  CHECK(outcome.consumed == 7);
}
