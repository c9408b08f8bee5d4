// A leader that sends its data compressed, and a follower: sessions and all, but for the sockets between them.
#include <doctest/doctest.h>

#include "tests/replication/pair.h"
#include "tests/replication/workload.h"

using magpie::ByteBuffer;
using magpie::ByteView;
using magpie::testing::check_same;
using magpie::testing::Conversation;
using magpie::testing::Member;
using magpie::testing::Random;
using magpie::testing::Workload;
using Mode = magpie::server::Compression::Mode;
namespace wire = magpie::wire;

namespace {

/// How many of the frames are compressed.
int compressed_in(ByteView frames) {
  int count = 0;
  while (!frames.empty()) {
    const auto parsed = wire::parse_frame(frames);
    const auto* const frame = std::get_if<wire::Frame>(&parsed);
    REQUIRE(frame != nullptr);
    if (frame->payload.starts_with("\xaa\x01")) ++count;
    frames.remove_prefix(frame->consumed);
  }
  return count;
}

/// Makes the follower one that speaks no later version.
void speak(Conversation& talk, std::uint32_t version) {
  ByteBuffer& sent = talk.follower_pipe().sent;
  const auto parsed = wire::parse_frame(sent.view());
  const auto* const frame = std::get_if<wire::Frame>(&parsed);
  REQUIRE(frame != nullptr);
  wire::MessageDecoder decoder;
  const auto message = decoder.decode(frame->payload);
  REQUIRE(message.has_value());
  auto hello = std::get<wire::Hello>(*message);
  hello.newest_version = version;
  sent.truncate(0);
  append_message(sent, hello);
}

/// Until the follower has everything; how many compressed frames that took.
int settle(Conversation& talk) {
  constexpr std::size_t kMuch = std::size_t{1} << 20;
  int compressed = 0;
  for (int quiet = 0; quiet < 3 && talk.error().empty();) {
    talk.produce(20'000);
    quiet = talk.leader_pipe().sent.empty() && talk.follower_pipe().sent.empty() ? quiet + 1 : 0;
    compressed += compressed_in(talk.leader_pipe().sent.view());
    talk.deliver(kMuch);
  }
  CHECK(talk.error().empty());
  return compressed;
}

}  // namespace

TEST_CASE("a follower gets the same from compressed data: everything, the log, and what repairs its own") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Member leader(1);
    Member follower(2);
    Workload work(leader.server, random);
    work.steps(1500);
    follower.follow();
    {
      Conversation talk(leader, follower);
      talk.leader_side().compression().set_mode(Mode::Yes);
      CHECK(settle(talk) > 0);
      CHECK(talk.was_full());
      check_same(leader, follower);
      const auto& status = *talk.leader_side().status();
      CHECK(status.compressed_to > 0);
      CHECK(status.compressed_to < status.compressed_from);
      work.steps(500);
      CHECK(settle(talk) > 0);
      check_same(leader, follower);
    }
    follower.replication().lead();
    for (int key = 0; key < 50; ++key) {  // what the new leader has not got
      const std::string name = "key" + std::to_string(key);
      follower.server.run({"SET", name, std::string(100, 'f')});
      leader.server.run({"SET", name, std::string(100, 'l')});
    }
    leader.follow();
    Conversation back(follower, leader);
    back.leader_side().compression().set_mode(Mode::Yes);
    CHECK(settle(back) > 0);
    CHECK_FALSE(back.was_full());
    check_same(follower, leader);
  }
}

TEST_CASE("whoever does not know compressed data, or shall not get it, gets none") {
  Random random(1);
  for (const auto& [version, mode] : {std::pair{1U, Mode::Yes}, {2U, Mode::Yes}, {3U, Mode::No}, {3U, Mode::Auto}}) {
    CAPTURE(version);
    Member leader(1);
    Member follower(2);
    Workload work(leader.server, random);
    work.steps(500);
    follower.follow();
    Conversation talk(leader, follower);
    speak(talk, version);
    talk.leader_side().compression().set_mode(mode);
    CHECK(settle(talk) == 0);
    work.steps(300);
    CHECK(settle(talk) == 0);
    CHECK(talk.leader_side().status()->compressed_from == 0);
    check_same(leader, follower);
  }
}

TEST_CASE("values that do not shrink are sent as they are") {
  Random random(1);
  Member leader(1);
  Member follower(2);
  for (int key = 0; key < 20; ++key) {
    std::string value(1000, '\0');
    for (char& byte : value) byte = static_cast<char>(random.below(256));
    leader.server.run({"SET", std::to_string(key), value});
  }
  follower.follow();
  Conversation talk(leader, follower);
  talk.leader_side().compression().set_mode(Mode::Yes);
  CHECK(settle(talk) == 0);
  check_same(leader, follower);
}
