#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <thread>

#include "server/net/stream.h"
#include "tests/net/fixture.h"

namespace magpie::net {
namespace {

constexpr std::size_t kMoreThanTheKernelTakes = std::size_t{4} << 20;

void write(Stream& stream, std::string_view text) {
  OutputBuffer out = bytes_of(text);
  stream.write(out);
}

/// A stream that its handler destroys as soon as it hears `last`.
struct Doomed {
  Doomed(Kind kind, Recorder::Call last) : Doomed(connected(kind), last) {}
  Doomed(std::pair<int, Peer> sockets, Recorder::Call last)
      : peer(std::move(sockets.second)), stream(std::make_unique<Stream>(loop, sockets.first, recorder)) {
    recorder.then = [this, last](Recorder::Call call) {
      REQUIRE(stream != nullptr);  // nothing is told after the destruction
      if (call != last) return;
      stream.reset();
      loop.stop();
    };
    stream->start_reading();
  }

  Loop loop;
  Recorder recorder;
  Peer peer;
  std::unique_ptr<Stream> stream;
};

}  // namespace

TEST_CASE("stream end: destroyed inside on_read, with more to read") {
  for (const Kind kind : {Kind::Tcp, Kind::Unix}) {
    Doomed doomed(kind, Recorder::Call::Read);
    doomed.recorder.buffer_size = 10;
    doomed.peer.send(pattern(100));
    doomed.loop.run();
    CHECK(doomed.stream == nullptr);
    CHECK(doomed.recorder.reads == 1);
    CHECK(doomed.recorder.ends == 0);
  }
}

TEST_CASE("stream end: destroyed inside on_read, after a write that did not fit") {
  Doomed doomed(Kind::Tcp, Recorder::Call::Read);
  write(*doomed.stream, pattern(kMoreThanTheKernelTakes));
  write(*doomed.stream, "behind it");
  doomed.peer.send("x");
  doomed.loop.run();
  CHECK(doomed.stream == nullptr);
}

TEST_CASE("stream end: destroyed inside on_end, clean and failed") {
  for (const bool clean : {true, false}) {
    Doomed doomed(Kind::Tcp, Recorder::Call::End);
    if (clean) {
      doomed.peer.close();
    } else {
      doomed.peer.reset();
    }
    doomed.loop.run();
    CHECK(doomed.stream == nullptr);
    CHECK(doomed.recorder.ends == 1);
    CHECK(doomed.recorder.failure.has_value() != clean);
  }
}

TEST_CASE("stream end: destroyed inside on_end that reports a failed write") {
  Doomed doomed(Kind::Unix, Recorder::Call::End);
  doomed.stream->stop_reading();
  doomed.peer.close();
  write(*doomed.stream, "nobody listens");
  CHECK(doomed.recorder.ends == 0);
  doomed.loop.run();
  CHECK(doomed.stream == nullptr);
  CHECK(doomed.recorder.failure == "Broken pipe");
}

TEST_CASE("stream end: destroyed between a failed write and its report") {
  Doomed doomed(Kind::Unix, Recorder::Call::End);
  doomed.stream->stop_reading();
  doomed.peer.close();
  // The inner task runs after the poll: libuv is done with the stream before the report is due.
  doomed.loop.post([&] {
    doomed.loop.post([&] {
      write(*doomed.stream, "nobody listens");
      doomed.stream.reset();
      doomed.loop.stop();
    });
  });
  doomed.loop.run();
  CHECK(doomed.recorder.ends == 0);
}

TEST_CASE("stream end: destroyed inside on_drained") {
  for (const Kind kind : {Kind::Tcp, Kind::Unix}) {
    Doomed doomed(kind, Recorder::Call::Drained);
    write(*doomed.stream, pattern(kMoreThanTheKernelTakes));
    std::string received;
    std::thread reader([&] { received = doomed.peer.receive_all(); });
    doomed.loop.run();
    reader.join();
    CHECK(doomed.stream == nullptr);
    CHECK((received == pattern(kMoreThanTheKernelTakes)));
  }
}

TEST_CASE("stream end: a half-closed peer still gets its reply") {
  for (const Kind kind : {Kind::Tcp, Kind::Unix}) {
    for (const std::size_t size : {std::size_t{5}, kMoreThanTheKernelTakes}) {
      Loop loop;
      auto [fd, peer] = connected(kind);
      Recorder recorder;
      Stream stream(loop, fd, recorder);
      const std::string reply = pattern(size);
      recorder.then = [&](Recorder::Call call) {
        if (call == Recorder::Call::End) {
          CHECK_FALSE(recorder.failure.has_value());
          CHECK_FALSE(stream.reading());
          write(stream, reply);
          stream.close_after_writes();
          write(stream, "after the end");
        }
        if (stream.closed()) loop.stop();
      };
      stream.start_reading();
      peer.send("question");
      peer.shutdown_write();
      std::string received;
      std::thread reader([&] { received = peer.receive_all(); });
      loop.run();
      reader.join();
      CHECK(recorder.input == "question");
      CHECK(stream.closed());
      CHECK(recorder.drains == (size == 5 ? 0 : 1));
      CHECK((received == reply));
    }
  }
}

TEST_CASE("stream end: close_after_writes with a peer that never reads can be cut short") {
  for (const bool by_loop : {true, false}) {
    auto loop = std::make_unique<Loop>();
    auto [fd, peer] = connected(Kind::Tcp);
    Recorder recorder;
    Stream stream(*loop, fd, recorder);
    stream.start_reading();
    write(stream, pattern(kMoreThanTheKernelTakes));
    stream.close_after_writes();
    CHECK_FALSE(stream.closed());
    CHECK_FALSE(stream.reading());
    if (by_loop) {
      loop.reset();
    } else {
      stream.close();
    }
    CHECK(stream.closed());
    CHECK(stream.pending_memory() == 0);
  }
}

TEST_CASE("stream end: close_after_writes hears of a peer that goes") {
  Loop loop;
  auto [fd, peer] = connected(Kind::Tcp);
  Recorder recorder;
  Stream stream(loop, fd, recorder);
  write(stream, pattern(kMoreThanTheKernelTakes));
  stream.close_after_writes();
  recorder.then = [&](Recorder::Call call) {
    CHECK(call == Recorder::Call::End);
    CHECK(stream.closed());
    loop.stop();
  };
  peer.reset();
  loop.run();
  CHECK(recorder.ends == 1);
  CHECK(recorder.failure.has_value());
}

TEST_CASE("stream end: a reset while writing is told once, reading or not") {
  for (const bool reading : {true, false}) {
    Loop loop;
    auto [fd, peer] = connected(Kind::Tcp);
    Recorder recorder;
    Stream stream(loop, fd, recorder);
    if (reading) stream.start_reading();
    write(stream, pattern(kMoreThanTheKernelTakes));
    write(stream, "more");
    REQUIRE(stream.pending_bytes() > 0);
    recorder.then = [&](Recorder::Call call) {
      if (call != Recorder::Call::End) return;
      write(stream, "in vain");
      stream.start_reading();
      CHECK_FALSE(stream.reading());
      loop.post([&] { loop.post([&] { loop.stop(); }); });
    };
    peer.reset();
    loop.run();
    CHECK(recorder.ends == 1);
    CHECK(recorder.drains == 0);
    CHECK(recorder.failure.has_value());
    CHECK(stream.pending_bytes() == 0);
  }
}

TEST_CASE("stream end: a write may fail after a clean end") {
  Loop loop;
  auto [fd, peer] = connected(Kind::Unix);
  Recorder recorder;
  Stream stream(loop, fd, recorder);
  stream.start_reading();
  peer.close();
  bool in_write = false;
  recorder.then = [&](Recorder::Call call) {
    if (call != Recorder::Call::End) return;
    CHECK_FALSE(in_write);
    if (recorder.failure.has_value()) {
      loop.stop();
      return;
    }
    in_write = true;
    write(stream, "too late");
    write(stream, "still");
    in_write = false;
  };
  loop.run();
  CHECK(recorder.ends == 2);
  CHECK(recorder.failure == "Broken pipe");
}

}  // namespace magpie::net
