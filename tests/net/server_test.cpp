// An echo server as the real one is built: sessions own streams and end themselves in callbacks.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/net/listener.h"
#include "server/net/stream.h"
#include "tests/net/fixture.h"

namespace magpie::net {
namespace {

constexpr int kBacklog = 511;

class EchoServer;

class Session final : public StreamHandler {
 public:
  Session(EchoServer& server, Loop& loop, int fd) : server_(server), stream_(loop, fd, *this) {
    stream_.start_reading();
  }
  std::span<char> read_buffer() override;
  void on_read(std::size_t bytes) override;
  void on_end(const char* error) override;
  void on_drained() override;
  const Stream& stream() const { return stream_; }

 private:
  EchoServer& server_;
  Stream stream_;
  OutputBuffer out_;
};

/// Runs its loop on a thread of its own. Everything but the constructor's caller's part runs there.
class EchoServer {
 public:
  explicit EchoServer(const std::string& address, const std::string& unix_path = {}) {
    const auto on_accept = [this](int fd) {
      auto session = std::make_unique<Session>(*this, loop_, fd);
      peer_address = session->stream().peer_address();
      sessions.emplace(session.get(), std::move(session));
      ++total;
    };
    auto made = unix_path.empty() ? Listener::tcp(loop_, address, 0, kBacklog, on_accept)
                                  : Listener::unix_socket(loop_, unix_path, 0, kBacklog, on_accept);
    REQUIRE(made.has_value());
    listener_ = std::make_unique<Listener>(std::move(*made));
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~EchoServer() {
    loop_.stop();
    thread_.join();
  }
  int port() const { return listener_->port(); }
  /// On the loop's thread, once it has done what came before.
  template <class Question>
  auto ask(Question question) {
    std::promise<decltype(question())> answer;
    loop_.post([&] { answer.set_value(question()); });
    return answer.get_future().get();
  }
  void forget(Session* session) { sessions.erase(session); }

  std::string peer_address;
  int total = 0;
  std::array<char, 65536> shared_buffer{};

 private:
  Loop loop_;
  std::unique_ptr<Listener> listener_;

 public:
  std::unordered_map<Session*, std::unique_ptr<Session>> sessions;

 private:
  std::thread thread_;
};

std::span<char> Session::read_buffer() { return server_.shared_buffer; }
void Session::on_read(std::size_t bytes) {
  const ByteView input(server_.shared_buffer.data(), bytes);
  out_.own().append(input);
  stream_.write(out_);
  if (stream_.pending_bytes() > 0) stream_.stop_reading();
  if (input.ends_with("QUIT")) {
    stream_.close_after_writes();
    if (stream_.closed()) server_.forget(this);
  }
}
void Session::on_end(const char* /*error*/) {
  stream_.close_after_writes();
  if (stream_.closed()) server_.forget(this);
}
void Session::on_drained() {
  if (stream_.closed()) {
    server_.forget(this);
  } else {
    stream_.start_reading();
  }
}

void wait_until_empty(EchoServer& server) {
  while (server.ask([&] { return !server.sessions.empty(); })) std::this_thread::yield();
}

}  // namespace

TEST_CASE("server: echo over TCP, IPv6 and a unix socket") {
  const SocketPath socket;
  for (const std::string address : {"127.0.0.1", "::1", "unix"}) {
    if (address == "::1") {
      Loop probe;
      if (!Listener::tcp(probe, address, 0, kBacklog, [](int) {})) continue;  // no IPv6 here
    }
    EchoServer server(address, address == "unix" ? socket.path : "");
    const Peer peer = address == "unix"  ? Peer::connect_unix(socket.path)
                      : address == "::1" ? Peer::connect_tcp6(server.port())
                                         : Peer::connect_tcp(server.port());
    peer.send("hello");
    CHECK(peer.receive(5) == "hello");
    const std::string name = server.ask([&] { return server.peer_address; });
    if (address == "127.0.0.1") CHECK(name.starts_with("127.0.0.1:"));
    if (address == "::1") CHECK(name.starts_with("[::1]:"));
    if (address == "unix") CHECK(name == socket.path + ":0");
    peer.send("QUIT");
    CHECK(peer.receive_all() == "QUIT");
  }
}

TEST_CASE("server: echoes more than all buffers hold, with back-pressure") {
  EchoServer server("127.0.0.1");
  const Peer peer = Peer::connect_tcp(server.port());
  const std::string all = pattern(std::size_t{24} << 20);
  std::thread sender([&] {
    peer.send(all);
    peer.shutdown_write();
  });
  const std::string received = peer.receive_all();
  sender.join();
  CHECK((received == all));
  wait_until_empty(server);
}

TEST_CASE("server: two hundred connections come and go") {
  EchoServer server("127.0.0.1");
  std::vector<Peer> open;
  for (int i = 0; i < 200; ++i) {
    Peer peer = Peer::connect_tcp(server.port());
    const std::string text = "message " + std::to_string(i);
    peer.send(text);
    if (i % 5 == 0) {
      peer.reset();  // before the reply is read
      continue;
    }
    CHECK(peer.receive(text.size()) == text);
    if (i % 5 == 1) peer.shutdown_write();
    if (i % 5 == 2) peer.send("QUIT");
    if (i % 5 != 3) open.push_back(std::move(peer));
  }
  for (std::size_t i = 0; i < open.size(); i += 2) open[i].close();
  open.clear();
  wait_until_empty(server);
  CHECK(server.ask([&] { return server.total; }) == 200);
}

TEST_CASE("server: ends with connections open") {
  std::vector<Peer> open;
  EchoServer server("127.0.0.1");
  for (int i = 0; i < 50; ++i) {
    open.push_back(Peer::connect_tcp(server.port()));
    open.back().send("x");
    CHECK(open.back().receive(1) == "x");
  }
  CHECK(server.ask([&] { return server.sessions.size(); }) == 50);
}

}  // namespace magpie::net
