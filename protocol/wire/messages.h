#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "protocol/byte_buffer.h"
#include "protocol/bytes.h"

namespace magpie::wire {

// What nodes say to each other (node.proto has the same as it is written, and what each is for). Places in a log are
// counted in bytes, terms are their numbers. Bytes are borrowed.

inline constexpr std::size_t kIncarnationBytes = 16;
inline constexpr std::size_t kNonceBytes = 16;
inline constexpr std::size_t kProofBytes = 32;
/// A node id, a cluster's or a log's name has at most so many bytes; a history so many terms.
inline constexpr std::size_t kMostName = 256;
inline constexpr std::size_t kMostTerms = 10'000;

using Incarnation = std::array<std::uint8_t, kIncarnationBytes>;
using Nonce = std::array<std::uint8_t, kNonceBytes>;
using Proof = std::array<std::uint8_t, kProofBytes>;  // HMAC-SHA256

enum class Purpose : std::uint8_t { Follow = 1, Heartbeats = 2 };
enum class CampaignReason : std::uint8_t { Silence, ProofOfDeath, SoleLost, AllDead, First };
enum class RefusalCode : std::uint8_t { Other, Version, Cluster, Secret, NotLeader, Busy };

struct TermBegin {
  std::uint64_t term = 0;
  std::uint64_t lsn = 0;
  bool operator==(const TermBegin&) const = default;
};
using History = std::vector<TermBegin>;

struct Hello {
  std::uint32_t oldest_version = 0;
  std::uint32_t newest_version = 0;
  std::string cluster = {};
  std::string node = {};
  Incarnation incarnation{};
  Nonce nonce{};
  Purpose purpose = Purpose::Follow;
  std::string client_address = {};
  bool operator==(const Hello&) const = default;
};
struct Welcome {
  std::uint32_t version = 0;
  std::string node = {};
  Incarnation incarnation{};
  Nonce nonce{};
  Proof proof{};
  bool operator==(const Welcome&) const = default;
};
struct Refusal {
  RefusalCode code = RefusalCode::Other;
  std::string reason = {};
  bool operator==(const Refusal&) const = default;
};
struct Follow {
  Proof proof{};
  std::string log = {};
  History history = {};
  std::uint64_t lsn = 0;
  std::uint32_t databases = 0;
  bool operator==(const Follow&) const = default;
};
struct Resume {
  std::string log = {};
  History history = {};
  std::uint64_t lsn = 0;
  bool operator==(const Resume&) const = default;
};
struct SyncBegin {
  std::string log = {};
  History history = {};
  std::uint64_t lsn = 0;
  std::uint64_t keys = 0;
  bool operator==(const SyncBegin&) const = default;
};
struct SyncData {
  ByteView records;
  std::uint64_t lsn = 0;
  std::uint64_t keys = 0;
  bool operator==(const SyncData&) const = default;
};
struct SyncEnd {
  std::uint64_t lsn = 0;
  bool operator==(const SyncEnd&) const = default;
};
struct Batch {
  std::uint64_t term = 0;
  std::uint64_t lsn = 0;
  ByteView records;
  std::uint32_t size = 0;
  std::uint64_t commit = 0;
  std::int64_t time_ms = 0;
  bool operator==(const Batch&) const = default;
};
struct Applied {
  std::uint64_t term = 0;
  std::uint64_t lsn = 0;
  std::uint64_t taken = 0;
  std::uint64_t maxmemory = 0;
  bool operator==(const Applied&) const = default;
};
struct Heartbeat {
  std::uint64_t term = 0;
  Incarnation leader{};
  Incarnation follower{};
  std::uint64_t lsn = 0;
  std::uint64_t commit = 0;
  std::int64_t time_ms = 0;
  std::uint64_t sent_ns = 0;
  bool stuck = false;
  bool operator==(const Heartbeat&) const = default;
};
struct HeartbeatAnswer {
  std::uint64_t term = 0;
  std::uint64_t lsn = 0;
  std::uint64_t sent_ns = 0;
  std::uint64_t heartbeat_term = 0;
  Incarnation leader{};
  Incarnation follower{};
  bool operator==(const HeartbeatAnswer&) const = default;
};
struct Login {
  Proof proof{};
  bool operator==(const Login&) const = default;
};
struct PreVote {
  std::uint64_t round = 0;
  Incarnation candidate{};
  std::uint64_t term = 0;
  CampaignReason reason = CampaignReason::Silence;
  bool operator==(const PreVote&) const = default;
};
struct PreVoteAnswer {
  std::uint64_t round = 0;
  Incarnation voter{};
  bool heard = false;
  bool complete = false;
  std::uint64_t term = 0;
  std::uint64_t lsn = 0;
  bool operator==(const PreVoteAnswer&) const = default;
};

struct TakeOver {
  std::uint64_t lsn = 0;
  bool force = false;
  bool operator==(const TakeOver&) const = default;
};
struct TookOver {
  std::uint64_t lsn = 0;
  bool refused = false;
  bool operator==(const TookOver&) const = default;
};

struct Diverged {
  std::string log = {};
  History history = {};
  std::uint64_t lsn = 0;
  bool operator==(const Diverged&) const = default;
};
struct Touched {
  ByteView records;
  bool last = false;
  bool everything = false;
  bool operator==(const Touched&) const = default;
};
struct RepairData {
  ByteView records;
  std::uint64_t lsn = 0;
  bool operator==(const RepairData&) const = default;
};

using Message =
    std::variant<Hello, Welcome, Refusal, Follow, Resume, SyncBegin, SyncData, SyncEnd, Batch, Applied, Heartbeat,
                 HeartbeatAnswer, TakeOver, TookOver, Diverged, Touched, RepairData, Login, PreVote, PreVoteAnswer>;

/// Appends the message as a frame; it must fit one.
void append_message(ByteBuffer& to, const Message& message);

/// Reads what frames carry. One thread.
class MessageDecoder {
 public:
  MessageDecoder();
  ~MessageDecoder();
  MessageDecoder(const MessageDecoder&) = delete;
  MessageDecoder& operator=(const MessageDecoder&) = delete;

  /// What is wrong, if it is no message of a version that is known. One that is compressed is read as what it holds;
  /// memory for that is bounded by kMostFrame. Borrows from this until the next call.
  std::expected<Message, std::string> decode(ByteView payload);

 private:
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace magpie::wire
