// Writes that refer to bytes of others instead of holding them.

#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "server/net/stream.h"
#include "tests/net/fixture.h"
#include "tests/protocol/shared_owner.h"

namespace magpie::net {
namespace {

using testing::SharedOwner;

constexpr std::size_t kMoreThanTheKernelTakes = std::size_t{4} << 20;

}  // namespace

TEST_CASE("stream: a shared value that the kernel takes at once is let go of at once") {
  Loop loop;
  auto [fd, peer] = connected(Kind::Unix);
  Recorder recorder;
  Stream stream(loop, fd, recorder);
  const SharedOwner owner{"shared"};
  OutputBuffer out = bytes_of("<");
  out.append(owner.share());
  out.own().append(">");
  stream.write(out);
  CHECK(out.empty());
  CHECK(owner.readers == 0);
  CHECK(stream.pending_bytes() == 0);
  CHECK(peer.receive(8) == "<shared>");
}

TEST_CASE("stream: shared values in the queue keep their place, count, and are let go of one by one") {
  for (const Kind kind : {Kind::Tcp, Kind::Unix}) {
    Loop loop;
    auto [fd, peer] = connected(kind);
    Recorder recorder;
    Stream stream(loop, fd, recorder);
    const SharedOwner large{pattern(kMoreThanTheKernelTakes)};
    const SharedOwner small{"small"};
    std::string expected;
    OutputBuffer out;
    for (int i = 0; i < 100; ++i) {  // more pieces than one system call takes
      out.append(small.share());
      out.own().append("-");
      expected += "small-";
    }
    out.append(large.share());
    expected += large.bytes;
    stream.write(out);
    CHECK(out.empty());
    out.own().append("behind");
    stream.write(out);
    out.append(large.share());
    stream.write(out);
    expected += "behind" + large.bytes;
    CHECK(large.readers == 2);
    CHECK(stream.pending_bytes() > kMoreThanTheKernelTakes);
    CHECK(stream.pending_bytes() <= expected.size());
    CHECK(stream.pending_shared_memory() >= 2 * kMoreThanTheKernelTakes);
    CHECK(stream.pending_memory() < 100'000);
    recorder.then = [&](Recorder::Call call) {
      REQUIRE(call == Recorder::Call::Drained);
      CHECK(stream.pending_shared_memory() == 0);
      CHECK(large.readers == 0);
      stream.close();
      loop.stop();
    };
    std::string received;
    std::thread reader([&] { received = peer.receive_all(); });
    loop.run();
    reader.join();
    CHECK(recorder.drains == 1);
    CHECK((received == expected));
    CHECK(small.readers == 0);
  }
}

TEST_CASE("stream: shared values are let go of when the stream closes, or takes no more") {
  Loop loop;
  auto [fd, peer] = connected(Kind::Unix);
  Recorder recorder;
  Stream stream(loop, fd, recorder);
  const SharedOwner large{pattern(kMoreThanTheKernelTakes)};
  OutputBuffer out;
  out.append(large.share());
  stream.write(out);
  CHECK(large.readers == 1);
  stream.close();
  CHECK(large.readers == 0);
  out.append(large.share());
  stream.write(out);
  CHECK(out.empty());
  CHECK(large.readers == 0);
}

}  // namespace magpie::net
