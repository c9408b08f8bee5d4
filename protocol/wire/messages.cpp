#include "protocol/wire/messages.h"

#include <algorithm>
#include <optional>

#include "protocol/check.h"
#include "protocol/wire/frame.h"
#include "protocol/wire/lz4_block.h"
#include "protocol/wire/node.pb.h"

namespace magpie::wire {
namespace {

// --- to protobuf ---

template <std::size_t Size>
std::string text(const std::array<std::uint8_t, Size>& bytes) {
  return {bytes.begin(), bytes.end()};
}

template <class Repeated>
void put_history(const History& from, Repeated& to) {
  for (const TermBegin& begin : from) {
    pb::TermBegin& added = *to.Add();
    added.set_term(begin.term);
    added.set_lsn(begin.lsn);
  }
}

void put(const Hello& from, pb::Message& to) {
  pb::Hello& hello = *to.mutable_hello();
  hello.set_oldest_version(from.oldest_version);
  hello.set_newest_version(from.newest_version);
  hello.set_cluster(from.cluster);
  hello.set_node(from.node);
  hello.set_incarnation(text(from.incarnation));
  hello.set_nonce(text(from.nonce));
  hello.set_purpose(static_cast<pb::Purpose>(from.purpose));
  hello.set_client_address(from.client_address);
}
void put(const Welcome& from, pb::Message& to) {
  pb::Welcome& welcome = *to.mutable_welcome();
  welcome.set_version(from.version);
  welcome.set_node(from.node);
  welcome.set_incarnation(text(from.incarnation));
  welcome.set_nonce(text(from.nonce));
  welcome.set_proof(text(from.proof));
}
void put(const Refusal& from, pb::Message& to) {
  to.mutable_refusal()->set_code(static_cast<pb::RefusalCode>(from.code));
  to.mutable_refusal()->set_reason(from.reason);
}
void put(const Follow& from, pb::Message& to) {
  pb::Follow& follow = *to.mutable_follow();
  follow.set_proof(text(from.proof));
  follow.set_log(from.log);
  put_history(from.history, *follow.mutable_history());
  follow.set_lsn(from.lsn);
  follow.set_databases(from.databases);
}
void put(const Resume& from, pb::Message& to) {
  pb::Resume& resume = *to.mutable_resume();
  resume.set_log(from.log);
  put_history(from.history, *resume.mutable_history());
  resume.set_lsn(from.lsn);
}
void put(const Diverged& from, pb::Message& to) {
  pb::Diverged& diverged = *to.mutable_diverged();
  diverged.set_log(from.log);
  put_history(from.history, *diverged.mutable_history());
  diverged.set_lsn(from.lsn);
}
void put(const Touched& from, pb::Message& to) {
  pb::Touched& touched = *to.mutable_touched();
  touched.set_records(from.records.data(), from.records.size());
  touched.set_last(from.last);
  touched.set_everything(from.everything);
}
void put(const RepairData& from, pb::Message& to) {
  pb::RepairData& data = *to.mutable_repair_data();
  data.set_records(from.records.data(), from.records.size());
  data.set_lsn(from.lsn);
}
void put(const SyncBegin& from, pb::Message& to) {
  pb::SyncBegin& begin = *to.mutable_sync_begin();
  begin.set_log(from.log);
  put_history(from.history, *begin.mutable_history());
  begin.set_lsn(from.lsn);
  begin.set_keys(from.keys);
}
void put(const TakeOver& from, pb::Message& to) {
  to.mutable_take_over()->set_lsn(from.lsn);
  to.mutable_take_over()->set_force(from.force);
}
void put(const TookOver& from, pb::Message& to) {
  to.mutable_took_over()->set_lsn(from.lsn);
  to.mutable_took_over()->set_refused(from.refused);
}
void put(const SyncData& from, pb::Message& to) {
  pb::SyncData& data = *to.mutable_sync_data();
  data.set_records(from.records.data(), from.records.size());
  data.set_lsn(from.lsn);
  data.set_keys(from.keys);
}
void put(const SyncEnd& from, pb::Message& to) { to.mutable_sync_end()->set_lsn(from.lsn); }
void put(const Batch& from, pb::Message& to) {
  pb::Batch& batch = *to.mutable_batch();
  batch.set_term(from.term);
  batch.set_lsn(from.lsn);
  batch.set_records(from.records.data(), from.records.size());
  batch.set_size(from.size);
  batch.set_commit(from.commit);
  batch.set_time_ms(from.time_ms);
}
void put(const Applied& from, pb::Message& to) {
  pb::Applied& applied = *to.mutable_applied();
  applied.set_term(from.term);
  applied.set_lsn(from.lsn);
  applied.set_taken(from.taken);
  applied.set_maxmemory(from.maxmemory);
}
void put(const Heartbeat& from, pb::Message& to) {
  pb::Heartbeat& heartbeat = *to.mutable_heartbeat();
  heartbeat.set_term(from.term);
  heartbeat.set_leader(text(from.leader));
  heartbeat.set_follower(text(from.follower));
  heartbeat.set_lsn(from.lsn);
  heartbeat.set_commit(from.commit);
  heartbeat.set_time_ms(from.time_ms);
  heartbeat.set_sent_ns(from.sent_ns);
  heartbeat.set_stuck(from.stuck);
}
void put(const HeartbeatAnswer& from, pb::Message& to) {
  pb::HeartbeatAnswer& answer = *to.mutable_heartbeat_answer();
  answer.set_term(from.term);
  answer.set_lsn(from.lsn);
  answer.set_sent_ns(from.sent_ns);
  answer.set_heartbeat_term(from.heartbeat_term);
  answer.set_leader(text(from.leader));
  answer.set_follower(text(from.follower));
}
void put(const Login& from, pb::Message& to) { to.mutable_login()->set_proof(text(from.proof)); }
void put(const PreVote& from, pb::Message& to) {
  pb::PreVote& question = *to.mutable_pre_vote();
  question.set_round(from.round);
  question.set_candidate(text(from.candidate));
  question.set_term(from.term);
  question.set_reason(static_cast<pb::CampaignReason>(from.reason));
}
void put(const PreVoteAnswer& from, pb::Message& to) {
  pb::PreVoteAnswer& answer = *to.mutable_pre_vote_answer();
  answer.set_round(from.round);
  answer.set_voter(text(from.voter));
  answer.set_heard(from.heard);
  answer.set_complete(from.complete);
  answer.set_term(from.term);
  answer.set_lsn(from.lsn);
}

// --- from protobuf ---

/// Takes fields that have a size or a range; what is wrong first latches.
class Taker {
 public:
  const char* wrong() const { return wrong_; }

  template <std::size_t Size>
  void bytes(const std::string& from, std::array<std::uint8_t, Size>& to, const char* why) {
    if (from.size() != Size) return fail(why);
    std::ranges::copy(from, to.begin());
  }
  void name(const std::string& from, std::string& to) {
    if (from.size() > kMostName) return fail("a name that is too long");
    to = from;
  }
  template <class Code>
  void code(int from, Code least, Code most, Code& to, const char* why) {
    if (from < static_cast<int>(least) || from > static_cast<int>(most)) return fail(why);
    to = static_cast<Code>(from);
  }
  template <class Repeated>
  void history(const Repeated& from, History& to) {
    if (static_cast<std::size_t>(from.size()) > kMostTerms) return fail("a history that is too long");
    for (const pb::TermBegin& begin : from) to.push_back({begin.term(), begin.lsn()});
    const auto descends = [](const TermBegin& earlier, const TermBegin& later) {
      return earlier.term >= later.term || earlier.lsn > later.lsn;
    };
    if (std::ranges::adjacent_find(to, descends) != to.end()) fail("a history that does not ascend");
  }
  void fail(const char* why) {
    if (wrong_ == nullptr) wrong_ = why;
  }

 private:
  const char* wrong_ = nullptr;
};

constexpr const char* kNoIncarnation = "an incarnation that is none";
constexpr const char* kNoNonce = "a nonce that is none";
constexpr const char* kNoProof = "a proof that is none";

Message take(const pb::Hello& from, Taker& taker) {
  Hello to{.oldest_version = from.oldest_version(), .newest_version = from.newest_version()};
  taker.name(from.cluster(), to.cluster);
  taker.name(from.node(), to.node);
  taker.bytes(from.incarnation(), to.incarnation, kNoIncarnation);
  taker.bytes(from.nonce(), to.nonce, kNoNonce);
  taker.code(from.purpose(), Purpose::Follow, Purpose::Heartbeats, to.purpose, "a purpose that is not known");
  taker.name(from.client_address(), to.client_address);
  return to;
}
Message take(const pb::Welcome& from, Taker& taker) {
  Welcome to{.version = from.version()};
  taker.name(from.node(), to.node);
  taker.bytes(from.incarnation(), to.incarnation, kNoIncarnation);
  taker.bytes(from.nonce(), to.nonce, kNoNonce);
  taker.bytes(from.proof(), to.proof, kNoProof);
  return to;
}
Message take(const pb::Refusal& from, Taker& taker) {
  Refusal to;
  // A code of a later version is a refusal all the same.
  if (from.code() <= static_cast<int>(RefusalCode::Busy) && from.code() >= 0) {
    to.code = static_cast<RefusalCode>(from.code());
  }
  taker.name(from.reason(), to.reason);
  return to;
}
Message take(const pb::Follow& from, Taker& taker) {
  Follow to{.lsn = from.lsn(), .databases = from.databases()};
  taker.bytes(from.proof(), to.proof, kNoProof);
  taker.name(from.log(), to.log);
  taker.history(from.history(), to.history);
  return to;
}
Message take(const pb::Resume& from, Taker& taker) {
  Resume to{.lsn = from.lsn()};
  taker.name(from.log(), to.log);
  taker.history(from.history(), to.history);
  return to;
}
Message take(const pb::Diverged& from, Taker& taker) {
  Diverged to{.lsn = from.lsn()};
  taker.name(from.log(), to.log);
  taker.history(from.history(), to.history);
  return to;
}
Message take(const pb::Touched& from, Taker&) { return Touched{from.records(), from.last(), from.everything()}; }
Message take(const pb::RepairData& from, Taker&) { return RepairData{from.records(), from.lsn()}; }
Message take(const pb::SyncBegin& from, Taker& taker) {
  SyncBegin to{.lsn = from.lsn(), .keys = from.keys()};
  taker.name(from.log(), to.log);
  taker.history(from.history(), to.history);
  return to;
}
Message take(const pb::SyncData& from, Taker&) { return SyncData{from.records(), from.lsn(), from.keys()}; }
Message take(const pb::TakeOver& from, Taker&) { return TakeOver{from.lsn(), from.force()}; }
Message take(const pb::TookOver& from, Taker&) { return TookOver{from.lsn(), from.refused()}; }
Message take(const pb::SyncEnd& from, Taker&) { return SyncEnd{from.lsn()}; }
Message take(const pb::Batch& from, Taker&) {
  return Batch{from.term(), from.lsn(), from.records(), from.size(), from.commit(), from.time_ms()};
}
Message take(const pb::Applied& from, Taker&) {
  return Applied{from.term(), from.lsn(), from.taken(), from.maxmemory()};
}
Message take(const pb::Heartbeat& from, Taker& taker) {
  Heartbeat to{.term = from.term(),
               .lsn = from.lsn(),
               .commit = from.commit(),
               .time_ms = from.time_ms(),
               .sent_ns = from.sent_ns(),
               .stuck = from.stuck()};
  taker.bytes(from.leader(), to.leader, kNoIncarnation);
  taker.bytes(from.follower(), to.follower, kNoIncarnation);
  return to;
}
Message take(const pb::HeartbeatAnswer& from, Taker& taker) {
  HeartbeatAnswer to{
      .term = from.term(), .lsn = from.lsn(), .sent_ns = from.sent_ns(), .heartbeat_term = from.heartbeat_term()};
  taker.bytes(from.leader(), to.leader, kNoIncarnation);
  taker.bytes(from.follower(), to.follower, kNoIncarnation);
  return to;
}
Message take(const pb::Login& from, Taker& taker) {
  Login to;
  taker.bytes(from.proof(), to.proof, kNoProof);
  return to;
}
Message take(const pb::PreVote& from, Taker& taker) {
  PreVote to{.round = from.round(), .term = from.term()};
  taker.bytes(from.candidate(), to.candidate, kNoIncarnation);
  taker.code(from.reason(), CampaignReason::Silence, CampaignReason::First, to.reason, "a reason that is not known");
  return to;
}
Message take(const pb::PreVoteAnswer& from, Taker& taker) {
  PreVoteAnswer to{.round = from.round(),
                   .heard = from.heard(),
                   .complete = from.complete(),
                   .term = from.term(),
                   .lsn = from.lsn()};
  taker.bytes(from.voter(), to.voter, kNoIncarnation);
  return to;
}

std::optional<Message> take_any(const pb::Message& from, Taker& taker) {
  switch (from.of_case()) {
    case pb::Message::kHello:
      return take(from.hello(), taker);
    case pb::Message::kWelcome:
      return take(from.welcome(), taker);
    case pb::Message::kRefusal:
      return take(from.refusal(), taker);
    case pb::Message::kFollow:
      return take(from.follow(), taker);
    case pb::Message::kResume:
      return take(from.resume(), taker);
    case pb::Message::kSyncBegin:
      return take(from.sync_begin(), taker);
    case pb::Message::kDiverged:
      return take(from.diverged(), taker);
    case pb::Message::kTouched:
      return take(from.touched(), taker);
    case pb::Message::kRepairData:
      return take(from.repair_data(), taker);
    case pb::Message::kTakeOver:
      return take(from.take_over(), taker);
    case pb::Message::kTookOver:
      return take(from.took_over(), taker);
    case pb::Message::kSyncData:
      return take(from.sync_data(), taker);
    case pb::Message::kSyncEnd:
      return take(from.sync_end(), taker);
    case pb::Message::kBatch:
      return take(from.batch(), taker);
    case pb::Message::kApplied:
      return take(from.applied(), taker);
    case pb::Message::kHeartbeat:
      return take(from.heartbeat(), taker);
    case pb::Message::kHeartbeatAnswer:
      return take(from.heartbeat_answer(), taker);
    case pb::Message::kLogin:
      return take(from.login(), taker);
    case pb::Message::kPreVote:
      return take(from.pre_vote(), taker);
    case pb::Message::kPreVoteAnswer:
      return take(from.pre_vote_answer(), taker);
    case pb::Message::kCompressed:  // it has been expanded
    case pb::Message::OF_NOT_SET:
      break;
  }
  return std::nullopt;
}

}  // namespace

void append_message(ByteBuffer& to, const Message& message) {
  pb::Message out;
  std::visit([&](const auto& one) { put(one, out); }, message);
  const std::size_t size = out.ByteSizeLong();
  char* const frame = to.reserve(kFrameHeader + size);
  out.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(frame + kFrameHeader));
  seal_frame(frame, size);
  to.commit(kFrameHeader + size);
}

struct MessageDecoder::Parsed {
  pb::Message message;
  ByteBuffer expanded;

  bool parse(ByteView payload) {
    return payload.size() <= kMostFrame && message.ParseFromArray(payload.data(), static_cast<int>(payload.size()));
  }
  /// Puts what it holds in the place of a compressed message; what is wrong, or null.
  const char* expand() {
    const std::size_t size = message.compressed().size();
    if (size == 0 || size > kMostFrame) return "a compressed message of a size that cannot be";
    expanded.truncate(0);
    char* const to = expanded.reserve(size);
    if (!expand_block(message.compressed().message(), to, size)) return "a compressed message that is damaged";
    if (!parse({to, size})) return "a compressed message that holds none";
    return message.has_compressed() ? "a compressed message within another" : nullptr;
  }
};

MessageDecoder::MessageDecoder() : parsed_(std::make_unique<Parsed>()) {}
MessageDecoder::~MessageDecoder() = default;

std::expected<Message, std::string> MessageDecoder::decode(ByteView payload) {
  if (!parsed_->parse(payload)) return std::unexpected("a frame that carries no message");
  if (parsed_->message.has_compressed()) {
    if (const char* wrong = parsed_->expand()) return std::unexpected(wrong);
  }
  Taker taker;
  const std::optional<Message> taken = take_any(parsed_->message, taker);
  if (!taken) return std::unexpected("a message of a kind that is not known");
  if (taker.wrong() != nullptr) return std::unexpected(std::string("a message with ") + taker.wrong());
  return *taken;
}

}  // namespace magpie::wire
