#include "protocol/byte_buffer.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace magpie {

TEST_CASE("byte buffer: appends, consumes, truncates") {
  ByteBuffer buffer;
  CHECK(buffer.empty());
  buffer.append(ByteView{});
  buffer.append("hello ");
  buffer.append('w');
  std::memcpy(buffer.reserve(4), "orld", 4);
  buffer.commit(4);
  CHECK(buffer.view() == "hello world");
  buffer.consume(6);
  CHECK(buffer.view() == "world");
  buffer.truncate(3);
  CHECK(buffer.view() == "wor");
  buffer.release();
  CHECK(buffer.view().empty());
  CHECK(buffer.capacity() == 0);
}

TEST_CASE("byte buffer: one large reservation costs its size, many appends stay few") {
  ByteBuffer buffer;
  buffer.reserve(1'000'000);
  CHECK(buffer.capacity() < 1'020'000);
  ByteBuffer growing;
  const std::string piece(1000, 'x');
  int growths = 0;
  for (int count = 0; count < 10'000; ++count) {
    const std::size_t before = growing.capacity();
    growing.append(piece);
    growths += growing.capacity() != before ? 1 : 0;
  }
  CHECK(growing.size() == 10'000'000);
  CHECK(growths < 80);
  CHECK(growing.capacity() < 12'000'000);
}

TEST_CASE("byte buffer: moving hands the bytes over") {
  ByteBuffer first;
  first.append("bytes");
  ByteBuffer second(std::move(first));
  CHECK(second.view() == "bytes");
  ByteBuffer third;
  third = std::move(second);
  CHECK(third.view() == "bytes");
}

}  // namespace magpie
