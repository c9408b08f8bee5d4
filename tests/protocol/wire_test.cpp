// Frames and messages between nodes.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "protocol/wire/frame.h"
#include "protocol/wire/messages.h"

using magpie::ByteBuffer;
using magpie::ByteView;
using namespace magpie::wire;  // NOLINT(google-build-using-namespace): all of them are tested

namespace {

std::string frame_of(ByteView payload) {
  ByteBuffer buffer;
  append_frame(buffer, payload);
  return std::string(buffer.view());
}

std::string payload_of(const Message& message) {
  ByteBuffer buffer;
  append_message(buffer, message);
  const auto parsed = parse_frame(buffer.view());
  const auto* const frame = std::get_if<Frame>(&parsed);
  REQUIRE(frame != nullptr);
  REQUIRE(frame->consumed == buffer.size());
  return std::string(frame->payload);
}

template <class Bytes>
Bytes counted(std::uint8_t from) {
  Bytes bytes;
  for (std::uint8_t& byte : bytes) byte = from++;
  return bytes;
}

std::vector<Message> one_of_each() {
  const History history{{1, 1}, {4, 1}, {9, 77}};
  const auto incarnation = counted<Incarnation>(10);
  return {
      Hello{1, 3, "cluster", "node", incarnation, counted<Nonce>(30), Purpose::Heartbeats, "[::1]:6379"},
      Welcome{2, "node", incarnation, counted<Nonce>(200), counted<Proof>(60)},
      Refusal{RefusalCode::NotLeader, "another node leads"},
      Follow{counted<Proof>(1), "log", history, 123'456'789'012, 16},
      Resume{"log", history, 5},
      SyncBegin{"log", history, 6, 10'000'000},
      SyncData{ByteView("\x01\x00\xff", 3), 7, 8},
      SyncEnd{9},
      Batch{4, 100, "records", 7000, 99, 1'700'000'000'000},
      Applied{4, 101, 65'536, 1 << 30},
      Heartbeat{4, incarnation, counted<Incarnation>(90), 100, 99, -5, ~std::uint64_t{0}},
      HeartbeatAnswer{3, 98, 1, 4, Incarnation{1}, Incarnation{2}},
      Login{Proof{7}},
      PreVote{5, Incarnation{3}, 2, CampaignReason::SoleLost},
      PreVoteAnswer{5, Incarnation{4}, true, true, 2, 90},
      TakeOver{77, true},
      TookOver{78, true},
      Diverged{"log", history, 79},
      Touched{ByteView("\x00\x01", 2), true, false},
      RepairData{"records", 80},
  };
}

}  // namespace

TEST_CASE("a frame has the checksum of its payload, as CRC-32C is defined") {
  CHECK(frame_of("123456789") == std::string("\x09\x00\x00\x00\x83\x92\x06\xe3", 8) + "123456789");
  CHECK(frame_of("") == std::string(8, '\0'));
}

TEST_CASE("a frame is read wherever the input is cut") {
  const std::string two = frame_of("first frame") + frame_of("second");
  for (std::size_t size = 0; size <= two.size(); ++size) {
    const auto parsed = parse_frame(ByteView(two).substr(0, size));
    if (size < kFrameHeader + 11) {
      REQUIRE(std::holds_alternative<NeedMore>(parsed));
      CHECK(std::get<NeedMore>(parsed).at_least == (size < kFrameHeader ? kFrameHeader : kFrameHeader + 11));
    } else {
      REQUIRE(std::holds_alternative<Frame>(parsed));
      CHECK(std::get<Frame>(parsed).payload == "first frame");
      CHECK(std::get<Frame>(parsed).consumed == kFrameHeader + 11);
    }
  }
}

TEST_CASE("a frame with any bit changed is refused, or waits for what it claims") {
  const std::string good = frame_of("a payload of some bytes");
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    CHECK_FALSE(std::holds_alternative<Frame>(parse_frame(bad)));
  }
  const auto parsed = parse_frame(std::string("\x01\x00\x10\x00", 4) + "csum");
  REQUIRE(std::holds_alternative<FrameError>(parsed));
  CHECK(std::get<FrameError>(parsed).what == "a frame of 1048577 bytes, which is more than there can be");
}

TEST_CASE("the largest frame goes through") {
  const std::string most(kMostFrame, 'x');
  const std::string bytes = frame_of(most);
  const auto parsed = parse_frame(bytes);
  REQUIRE(std::holds_alternative<Frame>(parsed));
  CHECK(std::get<Frame>(parsed).payload == most);
}

TEST_CASE("messages of every kind are read as they were written") {
  MessageDecoder decoder;
  for (const Message& message : one_of_each()) {
    CAPTURE(message.index());
    const std::string payload = payload_of(message);
    const auto read = decoder.decode(payload);
    REQUIRE(read.has_value());
    CHECK(*read == message);
  }
}

TEST_CASE("a message that is cut off is none, or is refused, or is another") {
  MessageDecoder decoder;
  for (const Message& message : one_of_each()) {
    const std::string payload = payload_of(message);
    for (std::size_t size = 0; size < payload.size(); ++size) {
      const auto read = decoder.decode(ByteView(payload).substr(0, size));
      CHECK_FALSE((read.has_value() && *read == message));
    }
  }
}

TEST_CASE("messages of a wrong form are refused with the reason") {
  MessageDecoder decoder;
  const auto wrong = [&](const std::string& payload) {
    const auto read = decoder.decode(payload);
    REQUIRE_FALSE(read.has_value());
    return read.error();
  };
  CHECK(wrong("") == "a message of a kind that is not known");
  CHECK(wrong(std::string("\xfa\x3f\x00", 3)) ==
        "a message of a kind that is not known");  // a field of a later version
  CHECK(wrong("\x0a\x05x") == "a frame that carries no message");
  CHECK(wrong(std::string(kMostFrame + 1, '\0')) == "a frame that carries no message");
  CHECK(wrong(std::string("\x0a\x00", 2)) == "a message with an incarnation that is none");
  CHECK(wrong(payload_of(Hello{.node = std::string(300, 'n')})) == "a message with a name that is too long");
  CHECK(wrong(payload_of(Resume{"log", {{2, 1}, {2, 5}}, 5})) == "a message with a history that does not ascend");
  CHECK(wrong(payload_of(Resume{"log", {{1, 5}, {2, 4}}, 5})) == "a message with a history that does not ascend");
}
