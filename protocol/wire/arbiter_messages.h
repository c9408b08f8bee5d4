#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/byte_buffer.h"
#include "protocol/bytes.h"
#include "protocol/wire/messages.h"

namespace magpie::wire::arbiter {

// What nodes and a durable arbiter say to each other (arbiter.proto has the same as it is written, and what each is
// for). Revisions and terms are their numbers.

/// A message has at most so many keys in each of its lists.
inline constexpr std::size_t kMostItems = 100'000;
/// The reason of a refusal has at most so many bytes.
inline constexpr std::size_t kMostReason = 1024;

enum class RefusalCode : std::uint8_t { Other, Version, Cluster, Secret, Outdated, Busy };

struct Hello {
  std::uint32_t oldest_version = 0;
  std::uint32_t newest_version = 0;
  std::string cluster = {};
  std::string node = {};
  Nonce nonce{};
  bool operator==(const Hello&) const = default;
};
struct Welcome {
  std::uint32_t version = 0;
  Nonce nonce{};
  Proof proof{};
  bool operator==(const Welcome&) const = default;
};
struct Login {
  Proof proof{};
  std::uint64_t highest_term = 0;
  bool operator==(const Login&) const = default;
};
struct Accepted {
  std::uint64_t revision = 0;
  bool operator==(const Accepted&) const = default;
};
struct Refusal {
  RefusalCode code = RefusalCode::Other;
  std::string reason = {};
  bool operator==(const Refusal&) const = default;
};

struct Entry {
  std::string key = {};
  std::string value = {};
  std::uint64_t changed = 0;
  bool operator==(const Entry&) const = default;
};
struct Compare {
  std::string key = {};
  std::uint64_t changed = 0;
  bool operator==(const Compare&) const = default;
};
struct Write {
  std::string key = {};
  std::optional<std::string> value = {};
  bool operator==(const Write&) const = default;
};

struct Read {
  std::uint64_t id = 0;
  std::vector<std::string> keys = {};
  bool operator==(const Read&) const = default;
};
struct Transact {
  std::uint64_t id = 0;
  std::vector<Compare> compares = {};
  std::vector<Write> writes = {};
  std::vector<std::string> reads = {};
  bool operator==(const Transact&) const = default;
};
struct Watch {
  std::uint64_t id = 0;
  std::string prefix = {};
  std::uint64_t after = 0;
  bool operator==(const Watch&) const = default;
};
struct Unwatch {
  std::uint64_t id = 0;
  bool operator==(const Unwatch&) const = default;
};
struct Answer {
  std::uint64_t id = 0;
  bool succeeded = false;
  std::uint64_t revision = 0;
  std::vector<Entry> entries = {};
  bool more = false;
  bool operator==(const Answer&) const = default;
};
struct Refused {
  std::uint64_t id = 0;
  std::string reason = {};
  bool operator==(const Refused&) const = default;
};
struct Changed {
  std::uint64_t id = 0;
  std::uint64_t revision = 0;
  std::vector<Write> writes = {};
  bool more = false;
  bool operator==(const Changed&) const = default;
};

using Message =
    std::variant<Hello, Welcome, Login, Accepted, Refusal, Read, Transact, Watch, Unwatch, Answer, Refused, Changed>;

/// Appends the message as a frame; it must fit one.
void append_message(ByteBuffer& to, const Message& message);

/// What a frame carries, or what is wrong with it. Any thread.
std::expected<Message, std::string> decode_message(ByteView payload);

}  // namespace magpie::wire::arbiter
