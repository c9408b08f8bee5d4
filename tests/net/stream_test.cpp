#include "server/net/stream.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <thread>

#include "tests/net/fixture.h"

namespace magpie::net {
namespace {

constexpr std::size_t kMoreThanTheKernelTakes = std::size_t{4} << 20;

int option(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof(value);
  return ::getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
}

}  // namespace

TEST_CASE("stream: reads what comes and keeps the buffer of a write that fits") {
  for (const Kind kind : {Kind::Tcp, Kind::Unix}) {
    Loop loop;
    auto [fd, peer] = connected(kind);
    Recorder recorder;
    Stream stream(loop, fd, recorder);
    CHECK_FALSE(stream.reading());
    stream.start_reading();
    stream.start_reading();
    CHECK(stream.reading());
    recorder.then = [&](Recorder::Call call) {
      if (call != Recorder::Call::Read) return;
      OutputBuffer out = bytes_of("pong");
      const char* memory = out.own().data();
      stream.write(out);
      CHECK(out.empty());
      CHECK(out.own().data() == memory);
      loop.stop();
    };
    peer.send("ping");
    loop.run();
    CHECK(recorder.input == "ping");
    CHECK(peer.receive(4) == "pong");
    CHECK(stream.pending_bytes() == 0);
    CHECK(stream.pending_memory() == 0);
    CHECK(recorder.drains == 0);
    OutputBuffer nothing;
    stream.write(nothing);
    CHECK_FALSE(stream.closed());
  }
}

TEST_CASE("stream: one read per event, however much has come") {
  Loop loop;
  auto [fd, peer] = connected(Kind::Unix);
  Recorder recorder;
  Stream stream(loop, fd, recorder);
  recorder.buffer_size = 10;
  int turns_of_others = 0;
  recorder.then = [&](Recorder::Call call) {
    if (call != Recorder::Call::Read) return;
    if (recorder.input.size() == 100) {
      loop.stop();
    } else {
      CHECK(turns_of_others == recorder.reads - 1);
      loop.post([&] { ++turns_of_others; });
    }
  };
  peer.send(pattern(100));
  stream.start_reading();
  loop.run();
  CHECK(recorder.input == pattern(100));
  CHECK(recorder.reads == 10);
  CHECK(turns_of_others == 9);
}

TEST_CASE("stream: stops and resumes reading") {
  Loop loop;
  auto [fd, peer] = connected(Kind::Tcp);
  Recorder recorder;
  Stream stream(loop, fd, recorder);
  recorder.buffer_size = 4;
  recorder.then = [&](Recorder::Call call) {
    if (call != Recorder::Call::Read) return;
    stream.stop_reading();
    loop.stop();
  };
  peer.send("1234abcd");
  for (const char* expected : {"1234", "1234abcd"}) {
    stream.start_reading();
    loop.run();
    CHECK_FALSE(stream.reading());
    CHECK(recorder.input == expected);
  }
}

TEST_CASE("stream: queues what a slow reader leaves, keeps the order, tells when it is gone") {
  for (const Kind kind : {Kind::Tcp, Kind::Unix}) {
    Loop loop;
    auto [fd, peer] = connected(kind);
    Recorder recorder;
    Stream stream(loop, fd, recorder);
    const std::string all = pattern(kMoreThanTheKernelTakes + 100'000);

    OutputBuffer out = bytes_of(all.substr(0, kMoreThanTheKernelTakes));
    stream.write(out);
    CHECK(out.empty());
    CHECK(out.own().capacity() == 0);  // moved into the queue
    REQUIRE(stream.pending_bytes() > 0);
    CHECK(stream.pending_memory() >= kMoreThanTheKernelTakes);
    const std::size_t before = stream.pending_bytes();
    for (std::size_t at = kMoreThanTheKernelTakes; at < all.size(); at += 10) {
      out.own().append(ByteView(all).substr(at, 10));
      stream.write(out);
    }
    CHECK(stream.pending_bytes() == before + 100'000);
    CHECK(stream.pending_memory() < kMoreThanTheKernelTakes + 2'000'000);  // small writes share buffers

    recorder.then = [&](Recorder::Call call) {
      REQUIRE(call == Recorder::Call::Drained);
      CHECK(stream.pending_bytes() == 0);
      CHECK(stream.pending_memory() == 0);
      stream.close();
      loop.stop();
    };
    std::string received;
    std::thread reader([&] { received = peer.receive_all(); });
    loop.run();
    reader.join();
    CHECK(recorder.drains == 1);
    CHECK(received.size() == all.size());
    CHECK((received == all));
  }
}

TEST_CASE("stream: writes from on_drained go on") {
  Loop loop;
  auto [fd, peer] = connected(Kind::Unix);
  Recorder recorder;
  Stream stream(loop, fd, recorder);
  const std::string piece = pattern(1 << 20);
  OutputBuffer out = bytes_of(piece);
  stream.write(out);
  recorder.then = [&](Recorder::Call call) {
    REQUIRE(call == Recorder::Call::Drained);
    if (recorder.drains == 3) {
      stream.close();
      loop.stop();
      return;
    }
    do {
      out.own().append(piece);
      stream.write(out);
    } while (stream.pending_bytes() == 0);
  };
  std::string received;
  std::thread reader([&] { received = peer.receive_all(); });
  loop.run();
  reader.join();
  REQUIRE(received.size() % piece.size() == 0);
  CHECK(received.size() >= 3 * piece.size());
  for (std::size_t at = 0; at < received.size(); at += piece.size()) {
    CHECK((received.compare(at, piece.size(), piece) == 0));
  }
}

TEST_CASE("stream: addresses and options") {
  Loop loop;
  Recorder recorder;
  {
    auto [fd, peer] = connected(Kind::Tcp);
    Stream stream(loop, fd, recorder);
    CHECK(stream.fd() == fd);
    CHECK(stream.peer_address().starts_with("127.0.0.1:"));
    CHECK(stream.local_address().starts_with("127.0.0.1:"));
    CHECK(stream.peer_address() != stream.local_address());
    CHECK(option(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
    stream.set_keepalive(300);
    CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 300);
    CHECK(option(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 100);
    stream.set_keepalive(0);
    CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 0);
    stream.close();
    stream.close();
    CHECK(stream.closed());
    CHECK(stream.fd() == -1);
    CHECK(stream.peer_address() == "?:0");
    OutputBuffer out = bytes_of("lost");
    stream.write(out);
    CHECK(out.empty());
    stream.start_reading();
    CHECK_FALSE(stream.reading());
    stream.stop_reading();
    stream.close_after_writes();
    stream.set_keepalive(1);
  }
  auto [fd, peer] = connected(Kind::Unix);
  Stream nameless(loop, fd, recorder);
  CHECK(nameless.peer_address() == ":0");
}

TEST_CASE("stream: may outlive its loop") {
  auto loop = std::make_unique<Loop>();
  auto [fd, peer] = connected(Kind::Unix);
  Recorder recorder;
  Stream stream(*loop, fd, recorder);
  stream.start_reading();
  OutputBuffer out = bytes_of(pattern(kMoreThanTheKernelTakes));
  stream.write(out);
  CHECK(stream.pending_bytes() > 0);
  loop.reset();
  CHECK(stream.closed());
  CHECK_FALSE(stream.reading());
  CHECK(stream.pending_bytes() == 0);
  CHECK(recorder.ends == 0);
  stream.write(out);
}

TEST_CASE("stream: a dropped task may own one") {
  Recorder recorder;
  Loop loop;
  auto [fd, peer] = connected(Kind::Tcp);
  loop.post([stream = std::make_unique<Stream>(loop, fd, recorder)] {});
}

}  // namespace magpie::net
