// Messages between nodes and a durable arbiter.
#include "protocol/wire/arbiter_messages.h"

#include <doctest/doctest.h>

#include <string>
#include <variant>
#include <vector>

#include "protocol/wire/frame.h"

using magpie::ByteBuffer;
using magpie::ByteView;
using magpie::wire::Frame;
using magpie::wire::Nonce;
using magpie::wire::Proof;
using namespace magpie::wire::arbiter;  // NOLINT(google-build-using-namespace): all of them are tested

namespace {

const std::string kBytes("\0\xff\x80", 3);  // no text

std::string payload_of(const Message& message) {
  ByteBuffer buffer;
  append_message(buffer, message);
  const auto parsed = magpie::wire::parse_frame(buffer.view());
  const auto* const frame = std::get_if<Frame>(&parsed);
  REQUIRE(frame != nullptr);
  REQUIRE(frame->consumed == buffer.size());
  return std::string(frame->payload);
}

std::vector<Message> one_of_each() {
  return {
      Hello{1, 3, "cluster", "node", Nonce{1, 2, 3}},
      Welcome{2, Nonce{4}, Proof{5}},
      Login{Proof{6}, ~std::uint64_t{0}},
      Accepted{7},
      Refusal{RefusalCode::Outdated, "a reason " + kBytes},
      Read{1, {"a", kBytes}},
      Transact{2, {{"a", 1}, {"b", 0}}, {{"a", "value"}, {"b", ""}, {kBytes, {}}}, {"c"}},
      Watch{3, kBytes, 9},
      Unwatch{3},
      Answer{2, true, 10, {{"a", "value", 10}, {kBytes, "", 1}}, true},
      Refused{2, kBytes},
      Changed{3, 10, {{"a", "value"}, {"b", {}}}, true},
  };
}

}  // namespace

TEST_CASE("arbiter messages: each is read as it was written") {
  const auto all = one_of_each();
  REQUIRE(all.size() == std::variant_size_v<Message>);
  for (std::size_t kind = 0; kind < all.size(); ++kind) {
    CAPTURE(kind);
    CHECK(all[kind].index() == kind);
    const auto message = decode_message(payload_of(all[kind]));
    REQUIRE(message.has_value());
    CHECK(*message == all[kind]);
  }
}

TEST_CASE("arbiter messages: what is empty stays so") {
  for (const Message& message : {Message(Read{}), Message(Transact{}), Message(Answer{}), Message(Refusal{}),
                                 Message(Accepted{}), Message(Changed{}), Message(Unwatch{})}) {
    CHECK(decode_message(payload_of(message)) == message);
  }
}

TEST_CASE("arbiter messages: cut payloads are refused, or are messages without their end") {
  for (const Message& message : one_of_each()) {
    const std::string payload = payload_of(message);
    for (std::size_t size = 0; size < payload.size(); ++size) {
      const auto read = decode_message(ByteView(payload).substr(0, size));
      CHECK((!read.has_value() || *read != message));
    }
  }
}

TEST_CASE("arbiter messages: what is no message, or has fields of a wrong size, is refused with a reason") {
  CHECK(decode_message("").error() == "a message of a kind that is not known");
  CHECK(decode_message("\xff\xff\xff").error() == "a frame that carries no message");
  CHECK(decode_message(std::string("\x1a\x00", 2)).error() == "a message with a proof that is none");
  CHECK(decode_message(std::string("\x0a\x00", 2)).error() == "a message with a nonce that is none");
  CHECK(decode_message(payload_of(Hello{.node = std::string(257, 'n')})).error() ==
        "a message with a name that is too long");
  CHECK(decode_message(payload_of(Refused{1, std::string(kMostReason + 1, 'r')})).error() ==
        "a message with a reason that is too long");
  CHECK(decode_message(payload_of(Read{1, std::vector<std::string>(kMostItems + 1)})).error() ==
        "a message with a list that is too long");
}

TEST_CASE("arbiter messages: a refusal with a later version's code is one all the same") {
  CHECK(decode_message("\x2a\x02\x08\x63") == Message(Refusal{}));
}
