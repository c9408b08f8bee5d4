// Messages between nodes that are compressed.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/wire/compressed_message.h"
#include "protocol/wire/frame.h"
#include "protocol/wire/lz4_block.h"

using magpie::ByteBuffer;
using magpie::ByteView;
using namespace magpie::wire;  // NOLINT(google-build-using-namespace): all of them are tested

namespace {

constexpr unsigned kAny = 100;  // percent

/// The payload of the only frame.
std::string payload_of(const ByteBuffer& buffer) {
  const auto parsed = parse_frame(buffer.view());
  const auto* const frame = std::get_if<Frame>(&parsed);
  REQUIRE(frame != nullptr);
  REQUIRE(frame->consumed == buffer.size());
  return std::string(frame->payload);
}

std::string plain(const Message& message) {
  ByteBuffer buffer;
  append_message(buffer, message);
  return payload_of(buffer);
}

/// The same bytes each time, which LZ4 finds nothing in.
std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint64_t state = 88'172'645'463'325'252;
  for (char& byte : bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<char>(state >> 32);
  }
  return bytes;
}

std::string block_of(ByteView bytes) {
  std::string block(bytes.size() + 1000, '\0');
  block.resize(compress_block(bytes, block.data(), block.size()));
  return block;
}

std::string varint(std::size_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

/// A Compressed by hand.
std::string wrapper(std::size_t size, const std::string& block) {
  const std::string fields = "\x08" + varint(size) + "\x12" + varint(block.size()) + block;
  return "\xaa\x01" + varint(fields.size()) + fields;
}

std::string wrapped(const std::string& payload) { return wrapper(payload.size(), block_of(payload)); }

std::string error_of(const std::string& payload) {
  MessageDecoder decoder;
  const auto read = decoder.decode(payload);
  REQUIRE_FALSE(read.has_value());
  return read.error();
}

constexpr const char* kDamaged = "a compressed message that is damaged";
constexpr const char* kSize = "a compressed message of a size that cannot be";

}  // namespace

TEST_CASE("what is compressed is read as it was written, in fewer bytes") {
  const std::string records(200'000, 'r');
  const std::vector<Message> messages{SyncData{records, 7, 8}, RepairData{records, 80},
                                      Batch{4, 100, records, 0, 99, 1'700'000'000'000},
                                      SyncData{ByteView(records).substr(0, 400), 1, 2}};
  MessageDecoder decoder;
  for (const Message& message : messages) {
    ByteBuffer out;
    out.append("before");
    const FrameSizes sizes = append_compressed(out, message, kAny);
    CHECK(out.view().starts_with("before"));
    out.consume(6);
    CHECK(sizes.plain == plain(message).size() + kFrameHeader);
    CHECK(sizes.sent == out.size());
    CHECK(sizes.sent < sizes.plain / 4);
    const std::string payload = payload_of(out);
    CHECK(payload.starts_with("\xaa\x01"));
    const auto read = decoder.decode(payload);
    REQUIRE(read.has_value());
    CHECK(*read == message);
    const std::string next = plain(message);  // after it a plain one is read
    const auto again = decoder.decode(next);
    REQUIRE(again.has_value());
    CHECK(*again == message);
  }
}

TEST_CASE("what does not get small enough is sent as it is") {
  const std::string bytes = noise(60'000);
  const std::string half = bytes + std::string(60'000, 'h');
  const auto compressed = [](const Message& message, unsigned most_percent) {
    ByteBuffer out;
    const FrameSizes sizes = append_compressed(out, message, most_percent);
    CHECK(sizes.sent == out.size());
    CHECK((sizes.sent == sizes.plain) == (payload_of(out) == plain(message)));
    return sizes.sent < sizes.plain;
  };
  CHECK_FALSE(compressed(SyncData{bytes, 1, 1}, kAny));
  CHECK(compressed(SyncData{half, 1, 1}, kAny));
  CHECK(compressed(SyncData{half, 1, 1}, 60));
  CHECK_FALSE(compressed(SyncData{half, 1, 1}, 40));
  CHECK_FALSE(compressed(SyncData{half, 1, 1}, 0));
  CHECK_FALSE(compressed(SyncEnd{1}, kAny));
}

TEST_CASE("the largest message goes through compressed") {
  const std::string records(kMostFrame - 20, 'x');
  const Message message = SyncData{records, 1, 1};
  ByteBuffer out;
  CHECK(append_compressed(out, message, kAny).sent < 10'000);
  MessageDecoder decoder;
  const std::string payload = payload_of(out);
  const auto read = decoder.decode(payload);
  REQUIRE(read.has_value());
  CHECK(*read == message);
}

TEST_CASE("a compressed message of a wrong size is refused") {
  const std::string payload = plain(SyncEnd{1'000'000});
  const std::string block = block_of(payload);
  MessageDecoder decoder;
  CHECK(decoder.decode(wrapper(payload.size(), block)).has_value());
  CHECK(error_of(wrapper(0, block)) == kSize);
  CHECK(error_of(wrapper(payload.size() - 1, block)) == kDamaged);
  CHECK(error_of(wrapper(payload.size() + 1, block)) == kDamaged);
  CHECK(error_of(wrapper(kMostFrame, block)) == kDamaged);
  CHECK(error_of(wrapper(kMostFrame + 1, block)) == kSize);
  CHECK(error_of(wrapper(0xffff'ffff, block)) == kSize);
  CHECK(error_of("\xaa\x01" + std::string(1, '\0')) == kSize);
  const std::string bomb = block_of(std::string(kMostFrame + 1, '\0'));
  CHECK(error_of(wrapper(kMostFrame + 1, bomb)) == kSize);
  CHECK(error_of(wrapper(kMostFrame, bomb)) == kDamaged);
}

TEST_CASE("a compressed message that is damaged is refused, or is another") {
  const std::string records = "records records records records " + noise(30) + " records";
  const Message message = Batch{4, 100, records, 0, 99, 1};
  const std::string payload = plain(message);
  const std::string block = block_of(payload);
  MessageDecoder decoder;
  for (std::size_t size = 0; size < block.size(); ++size) {
    CHECK(error_of(wrapper(payload.size(), block.substr(0, size))) == kDamaged);
  }
  const std::string good = wrapper(payload.size(), block);
  std::size_t read = 0;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    if (decoder.decode(bad)) ++read;  // a literal byte has changed: a frame's checksum would tell
  }
  CHECK(read > 0);
  CHECK(read < good.size() * 8);
  CHECK(error_of(wrapper(payload.size(), "")) == kDamaged);
}

TEST_CASE("what a compressed message holds is a message, and no compressed one") {
  const std::string payload = plain(SyncData{std::string(1000, 'r'), 1, 1});
  CHECK(error_of(wrapped(wrapped(payload))) == "a compressed message within another");
  CHECK(error_of(wrapped("\x0a\x05x")) == "a compressed message that holds none");
  CHECK(error_of(wrapped(std::string("\xfa\x3f\x00", 3))) == "a message of a kind that is not known");
  CHECK(error_of(wrapped(std::string("\x0a\x00", 2))) == "a message with an incarnation that is none");
}
