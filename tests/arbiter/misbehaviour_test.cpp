// Clients of a durable arbiter that do not behave: their connection ends, with a line that says why, and nothing else.

#include <doctest/doctest.h>

#include <string>
#include <variant>
#include <vector>

#include "protocol/byte_buffer.h"
#include "protocol/wire/arbiter_messages.h"
#include "protocol/wire/frame.h"
#include "server/arbiter/handshake.h"
#include "server/arbiter/limits.h"
#include "tests/arbiter/fixture.h"
#include "tests/net/fixture.h"

using magpie::ByteBuffer;
using magpie::ByteView;
using magpie::net::Peer;
using magpie::testing::TemporaryFolder;
using magpie::testing::TestClient;
using magpie::testing::TestService;
using namespace magpie::wire::arbiter;  // NOLINT(google-build-using-namespace): most of it is sent

namespace {

std::string bytes_of(const std::vector<Message>& messages) {
  ByteBuffer buffer;
  for (const Message& message : messages) append_message(buffer, message);
  return std::string(buffer.view());
}

Message receive(const Peer& peer) {
  std::string bytes = peer.receive(magpie::wire::kFrameHeader);
  const auto header = magpie::wire::parse_frame(bytes);
  REQUIRE(std::holds_alternative<magpie::wire::NeedMore>(header));
  bytes += peer.receive(std::get<magpie::wire::NeedMore>(header).at_least - bytes.size());
  return decode_message(std::get<magpie::wire::Frame>(magpie::wire::parse_frame(bytes)).payload).value();
}

/// A connection that is accepted.
Peer logged_in(const TestService& service) {
  const magpie::arbiter::Identity identity{"cluster", "secret"};
  const magpie::arbiter::NodeHandshake handshake(identity, magpie::arbiter::draw_nonce());
  Peer peer = Peer::connect_tcp(service.port());
  peer.send(bytes_of({handshake.hello("raw")}));
  peer.send(bytes_of({handshake.log_in(std::get<Welcome>(receive(peer)), 0).value()}));
  REQUIRE(std::holds_alternative<Accepted>(receive(peer)));
  return peer;
}

void check_ended(const TestService& service, Peer peer, const std::string& reason) {
  CAPTURE(reason);
  peer.receive_all();  // up to the end
  CHECK(magpie::testing::becomes_so([&] { return service.logged(reason); }));
}

}  // namespace

TEST_CASE("arbiter service: bytes that are no frame or no message end a connection, before and after the handshake") {
  const TemporaryFolder folder;
  const TestService service(folder.path());
  for (const bool accepted : {false, true}) {
    const auto connect = [&] { return accepted ? logged_in(service) : Peer::connect_tcp(service.port()); };
    const std::vector<std::pair<std::string, std::string>> wrong{
        {"GET / HTTP/1.1\r\n\r\n", "it sent a frame of "},
        {std::string("\x01\0\0\0\0\0\0\0x", 9), "it sent a frame with a wrong checksum"},
        {std::string(8, '\0'), "it sent a message of a kind that is not known"},
        {bytes_of({Accepted{}}), "it sent a message that is for clients"},
        {bytes_of({Changed{}}), "it sent a message that is for clients"},
        {bytes_of({Login{}}), "it sent a message out of turn"},
    };
    for (const auto& [bytes, reason] : wrong) {
      Peer peer = connect();
      peer.send(bytes);
      check_ended(service, std::move(peer), reason);
    }
  }
  for (const Message& early : {Message(Read{}), Message(Transact{}), Message(Watch{}), Message(Unwatch{})}) {
    Peer peer = Peer::connect_tcp(service.port());
    peer.send(bytes_of({early}));
    CHECK(peer.receive_all().empty());
  }
  CHECK(TestClient(service.port()).put("a", "1").has_value());
}

TEST_CASE("arbiter service: before the handshake is over no frame may be long") {
  const TemporaryFolder folder;
  const TestService service(folder.path());
  Peer peer = Peer::connect_tcp(service.port());
  peer.send(std::string("\x01\x10\0\0\0\0\0\0", 8));  // 4097 bytes are to follow
  check_ended(service, std::move(peer), "it sent a frame that is too long here");
}

TEST_CASE("arbiter service: too many watches, one twice, or a prefix that is too long end a connection") {
  const TemporaryFolder folder;
  const TestService service(folder.path());
  std::vector<Message> many;
  for (std::uint64_t id = 0; id <= magpie::arbiter::kMostWatches; ++id) many.emplace_back(Watch{.id = id});
  const std::vector<std::pair<std::vector<Message>, std::string>> wrong{
      {many, "it has too many watches"},
      {{Watch{.id = 7}, Watch{.id = 7}}, "it has a watch of that number already"},
      {{Watch{.id = 7, .prefix = std::string(513, 'p')}}, "it watches a prefix that is too long"}};
  for (const auto& [messages, reason] : wrong) {
    Peer peer = logged_in(service);
    peer.send(bytes_of(messages));
    check_ended(service, std::move(peer), reason);
  }
  Peer peer = logged_in(service);
  peer.send(bytes_of({Watch{.id = 7}, Unwatch{.id = 7}, Unwatch{.id = 8}, Watch{.id = 7}, Read{.id = 1}}));
  CHECK(receive(peer) == Message(Answer{.id = 1, .succeeded = true}));
}

TEST_CASE("arbiter service: versions that it does not speak are refused with those it does") {
  const TemporaryFolder folder;
  const TestService service(folder.path());
  for (const auto& [oldest, newest] : {std::pair(2U, 3U), std::pair(0U, 0U)}) {
    Peer peer = Peer::connect_tcp(service.port());
    peer.send(bytes_of({Hello{.oldest_version = oldest, .newest_version = newest, .cluster = "cluster"}}));
    const Message answer = receive(peer);
    REQUIRE(std::holds_alternative<Refusal>(answer));
    CHECK(std::get<Refusal>(answer).code == RefusalCode::Version);
    CHECK(std::get<Refusal>(answer).reason == "this arbiter speaks versions 1 to 1 of its protocol");
    CHECK(peer.receive_all().empty());
  }
}

TEST_CASE("arbiter service: a proof for another term, or of the other side, is none") {
  const TemporaryFolder folder;
  const TestService service(folder.path());
  const magpie::arbiter::Identity identity{"cluster", "secret"};
  const magpie::arbiter::NodeHandshake handshake(identity, magpie::arbiter::draw_nonce());
  for (const bool sent_back : {false, true}) {
    Peer peer = Peer::connect_tcp(service.port());
    peer.send(bytes_of({handshake.hello("raw")}));
    const auto welcome = std::get<Welcome>(receive(peer));
    Login login = handshake.log_in(welcome, 1).value();
    login.highest_term = 1'000'000;
    if (sent_back) login.proof = welcome.proof;
    peer.send(bytes_of({login}));
    CHECK(std::get<Refusal>(receive(peer)).code == RefusalCode::Secret);
  }
  CHECK_FALSE(service.logged("event=outdated"));
}

TEST_CASE("arbiter service: a watch from beyond the present is told all, as of another history") {
  const TemporaryFolder folder;
  const TestService service(folder.path());
  REQUIRE(TestClient(service.port()).put("a", "1").has_value());
  Peer peer = logged_in(service);
  peer.send(bytes_of({Watch{.id = 1, .after = 2}}));
  CHECK(receive(peer) == Message(Changed{.id = 1, .revision = 1, .writes = {{"a", "1"}}}));
  peer.send(bytes_of({Watch{.id = 2, .after = 1}, Read{.id = 3}}));
  CHECK(receive(peer) == Message(Answer{.id = 3, .succeeded = true, .revision = 1}));
}
