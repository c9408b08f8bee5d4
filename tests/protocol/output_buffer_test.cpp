#include "protocol/output_buffer.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>

#include "protocol/reply_writer.h"
#include "tests/protocol/output_text.h"
#include "tests/protocol/shared_owner.h"

namespace magpie {
namespace {

using testing::SharedOwner;
using testing::text_of;

}  // namespace

TEST_CASE("shared bytes: the owner hears once, however they are moved") {
  const SharedOwner owner{"bytes"};
  {
    SharedBytes first = owner.share();
    SharedBytes second(std::move(first));
    CHECK(first.size() == 0);  // NOLINT(bugprone-use-after-move)
    CHECK(second.view() == "bytes");
    SharedBytes third = owner.share();
    CHECK(owner.readers == 2);
    third = std::move(second);
    third = SharedBytes();
    CHECK(owner.readers == 1);
  }
  CHECK(owner.readers == 0);
}

TEST_CASE("output buffer: pieces come in order, at every place where sending may stop") {
  const SharedOwner first{"<first>"};
  const SharedOwner second{"<second>"};
  const std::string all = "<first>abc<second><first>def";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    for (std::size_t step = 1; step <= all.size(); ++step) {
      OutputBuffer buffer;
      buffer.append(first.share());
      buffer.own().append("abc");
      buffer.append(second.share());
      buffer.append(first.share());
      buffer.append(SharedBytes());
      buffer.own().append("def");
      REQUIRE(buffer.size() == all.size());
      buffer.consume(cut);
      CHECK(text_of(buffer) == all.substr(cut));
      for (std::size_t left = all.size() - cut; left > 0; left = buffer.size()) {
        std::array<ByteView, 2> pieces;
        REQUIRE(buffer.pieces(pieces) >= 1);
        REQUIRE(all.substr(all.size() - left).starts_with(pieces[0]));
        buffer.consume(std::min(step, left));
        REQUIRE(text_of(buffer) == all.substr(all.size() - buffer.size()));
      }
      CHECK(buffer.empty());
      CHECK(first.readers + second.readers == 0);
      CHECK(buffer.shared_memory() == 0);
    }
  }
}

TEST_CASE("output buffer: a shared value is held until its last byte is gone, and counts till then") {
  const SharedOwner owner{"shared"};
  OutputBuffer buffer;
  buffer.own().append("ab");
  buffer.append(owner.share());
  CHECK(buffer.has_shared());
  CHECK(buffer.shared_memory() == 6);
  buffer.consume(7);
  CHECK(buffer.size() == 1);
  CHECK(buffer.shared_memory() == 6);
  CHECK(owner.readers == 1);
  OutputBuffer moved(std::move(buffer));
  CHECK(buffer.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(text_of(moved) == "d");
  moved.consume(1);
  CHECK(owner.readers == 0);
  CHECK_FALSE(moved.has_shared());
}

TEST_CASE("output buffer: truncating drops whole values, clearing and releasing all") {
  const SharedOwner owner{"shared"};
  OutputBuffer buffer;
  const auto fill = [&] {
    buffer.own().append("ab");
    buffer.append(owner.share());
    buffer.own().append("cd");
    buffer.append(owner.share());
  };
  fill();
  buffer.truncate(16);
  CHECK(text_of(buffer) == "absharedcdshared");
  buffer.truncate(10);
  CHECK(text_of(buffer) == "absharedcd");
  CHECK(owner.readers == 1);
  buffer.truncate(8);
  CHECK(text_of(buffer) == "abshared");
  CHECK(owner.readers == 1);
  buffer.truncate(2);
  CHECK(owner.readers == 0);
  CHECK(text_of(buffer) == "ab");
  buffer.truncate(0);
  fill();
  CHECK(text_of(buffer) == "absharedcdshared");
  buffer.clear();
  CHECK(owner.readers == 0);
  CHECK(buffer.empty());
  CHECK(buffer.own().capacity() > 0);
  fill();
  buffer.release();
  CHECK(owner.readers == 0);
  CHECK(buffer.own_memory() == 0);
}

TEST_CASE("reply writer: a shared bulk reads like a copied one") {
  const SharedOwner owner{"value"};
  OutputBuffer buffer;
  resp::ReplyWriter reply(buffer, resp::Version::Resp2);
  reply.array(2);
  reply.shared_bulk(owner.share());
  reply.bulk("value");
  CHECK(text_of(buffer) == "*2\r\n$5\r\nvalue\r\n$5\r\nvalue\r\n");
  CHECK(buffer.shared_memory() == 5);
}

TEST_CASE("output buffer: it is split at every place that does not cut shared bytes") {
  const SharedOwner first{"<first>"};
  const SharedOwner second{"<second>"};
  const std::string all = "ab<first>c<second>de";
  for (const std::size_t size : {0U, 1U, 2U, 9U, 10U, 18U, 19U, 20U}) {
    CAPTURE(size);
    OutputBuffer out;
    out.own().append("ab");
    out.append(first.share());
    out.own().append("c");
    out.append(second.share());
    out.own().append("de");
    const OutputBuffer rest = out.split(size);
    CHECK(out.size() == size);
    CHECK(text_of(out) == all.substr(0, size));
    CHECK(rest.size() == all.size() - size);
    CHECK(text_of(rest) == all.substr(size));
    CHECK(out.shared_memory() + rest.shared_memory() == 15);
  }
  CHECK(first.readers == 0);
  CHECK(second.readers == 0);
}

}  // namespace magpie
