// A link whose bytes go through a filter: a toy that does what TLS will.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/net/loop.h"
#include "server/net/timer.h"
#include "server/peers/link.h"

using magpie::ByteBuffer;
using magpie::ByteView;
using magpie::net::Loop;
using magpie::net::StreamFilter;
using magpie::server::Link;
using magpie::server::LinkOwner;
namespace wire = magpie::wire;

namespace {

constexpr char kGreeting = 'G';
constexpr char kAnswer = 'A';
constexpr char kAlert = '!';

std::string masked(ByteView bytes) {
  std::string masked(bytes);
  for (char& byte : masked) byte = static_cast<char>(byte ^ 0x5a);
  return masked;
}

/// One side greets, the other answers; then bytes are masked. A greeting that is none ends it, with an alert.
class Toy final : public StreamFilter {
 public:
  enum class Side : std::uint8_t { Greets, Answers };
  Toy(Side side, int& opened) : side_(side), opened_(opened) {}

  void begin(ByteBuffer& out) override {
    if (side_ == Side::Greets) out.append(kGreeting);
  }
  bool ready() const override { return ready_; }
  void seal(ByteView plain, ByteBuffer& out) override { out.append(masked(plain)); }
  std::expected<void, std::string> open(ByteView arrived, ByteBuffer& plain, ByteBuffer& out) override {
    ++opened_;
    if (!ready_) {
      const char expected = side_ == Side::Greets ? kAnswer : kGreeting;
      if (arrived.front() != expected) {
        out.append(kAlert);
        return std::unexpected("its greeting is none");
      }
      arrived.remove_prefix(1);
      ready_ = true;
      if (side_ == Side::Answers) out.append(kAnswer);
    }
    plain.append(masked(arrived));
    return {};
  }

 private:
  const Side side_;
  int& opened_;
  bool ready_ = false;
};

/// A side of a connection: what it has heard.
struct End final : LinkOwner {
  End(Loop& on, int fd, std::optional<Toy::Side> side) : loop(on) {
    std::unique_ptr<StreamFilter> filter;
    if (side) filter = std::make_unique<Toy>(*side, opened);
    link = std::make_unique<Link>(loop, fd, static_cast<LinkOwner&>(*this), std::move(filter));
  }

  void send(const wire::Message& message) {
    append_message(link->out(), message);
    link->flush();
  }
  std::expected<void, std::string> on_message(const wire::Message& message, std::size_t) override {
    if (const auto* data = std::get_if<wire::SyncData>(&message)) {
      heard.emplace_back(data->records);
      if (heard.size() == awaited) loop.stop();
      return {};
    }
    return std::unexpected("it sent what it should not");
  }
  void on_caught_up() override { link->flush(); }
  void on_drained() override { ++drained; }
  void on_end(const std::string& why) override {
    ended = why;
    loop.stop();
  }

  Loop& loop;
  std::size_t awaited = 0;  // messages, until the loop stops
  std::vector<std::string> heard;
  std::string ended;
  int opened = 0;
  int drained = 0;
  std::unique_ptr<Link> link;
};

std::array<int, 2> sockets() {
  std::array<int, 2> fds{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) == 0);
  return fds;
}

/// Until it stops; a test that waits in vain ends too.
void run(Loop& loop) {
  bool late = false;
  magpie::net::Timer deadline(loop, [&] {
    late = true;
    loop.stop();
  });
  deadline.start_once(std::chrono::seconds(10));
  loop.run();
  CHECK_FALSE(late);
}

std::string frame(const std::string& records) {
  ByteBuffer buffer;
  append_message(buffer, wire::SyncData{records, 1, 1});
  return std::string(buffer.view());
}

std::string received(int fd, std::size_t most) {
  std::string bytes(most, '\0');
  const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

}  // namespace

TEST_CASE("messages pass a filter both ways, those too that were sent before its handshake") {
  Loop loop;
  const auto fds = sockets();
  End first(loop, fds[0], Toy::Side::Greets);
  End second(loop, fds[1], Toy::Side::Answers);
  const std::string large(900'000, 'l');  // more than a socket takes at once
  first.send(wire::SyncData{"early", 1, 1});
  CHECK(first.link->congested());
  first.send(wire::SyncData{large, 2, 2});
  second.send(wire::SyncData{"early too", 1, 1});
  first.awaited = 1;
  run(loop);
  CHECK(first.heard == std::vector<std::string>{"early too"});
  CHECK_FALSE(second.link->congested());
  second.awaited = 2;
  if (second.heard.size() < second.awaited) run(loop);
  CHECK(second.heard == std::vector<std::string>{"early", large});
  second.send(wire::SyncData{large, 3, 3});
  first.awaited = 2;
  run(loop);
  CHECK(first.heard == std::vector<std::string>{"early too", large});
  CHECK(first.ended.empty());
  CHECK(second.ended.empty());
}

TEST_CASE("a filter gets bytes as they come, one by one too") {
  Loop loop;
  const auto fds = sockets();
  End end(loop, fds[0], Toy::Side::Answers);
  const std::string bytes = kGreeting + masked(frame("one") + frame("two"));
  std::size_t sent = 0;
  const auto send_next = [&] {
    if (sent == bytes.size() || end.opened < static_cast<int>(sent)) return;
    REQUIRE(::send(fds[1], bytes.data() + sent, 1, MSG_NOSIGNAL) == 1);
    ++sent;
  };
  loop.after_each_poll(send_next);
  send_next();
  end.awaited = 2;
  run(loop);
  CHECK(end.heard == std::vector<std::string>{"one", "two"});
  CHECK(end.opened == static_cast<int>(bytes.size()));
  end.send(wire::SyncData{"three", 1, 1});
  CHECK(received(fds[1], 1000) == kAnswer + masked(frame("three")));
  ::close(fds[1]);
}

TEST_CASE("a filter that fails ends the link with its reason, and its last bytes are sent") {
  Loop loop;
  const auto fds = sockets();
  End end(loop, fds[0], Toy::Side::Answers);
  end.send(wire::SyncData{"never", 1, 1});
  const std::string bytes = "x" + frame("one");
  REQUIRE(::send(fds[1], bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  run(loop);
  CHECK(end.ended == "its greeting is none");
  CHECK(end.heard.empty());
  CHECK(received(fds[1], 1000) == std::string(1, kAlert));
  ::close(fds[1]);
}

TEST_CASE("what is wrong behind a filter is told the peer through it") {
  Loop loop;
  const auto fds = sockets();
  End first(loop, fds[0], Toy::Side::Greets);
  End second(loop, fds[1], Toy::Side::Answers);
  second.send(wire::SyncEnd{1});
  run(loop);
  CHECK(first.ended == "it sent what it should not");
  if (second.ended.empty()) run(loop);
  CHECK(second.ended == Link::kClosedByPeer);
}

TEST_CASE("a link without a filter sends bytes as they are") {
  Loop loop;
  const auto fds = sockets();
  End end(loop, fds[0], std::nullopt);
  end.send(wire::SyncData{"plain", 1, 1});
  CHECK(received(fds[1], 1000) == frame("plain"));
  CHECK_FALSE(end.link->congested());
  const std::string bytes = frame("also plain");
  REQUIRE(::send(fds[1], bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  end.awaited = 1;
  run(loop);
  CHECK(end.heard == std::vector<std::string>{"also plain"});
  ::close(fds[1]);
}
