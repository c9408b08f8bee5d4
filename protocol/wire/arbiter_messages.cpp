#include "protocol/wire/arbiter_messages.h"

#include <algorithm>
#include <array>

#include "protocol/wire/arbiter.pb.h"
#include "protocol/wire/frame.h"

namespace magpie::wire::arbiter {
namespace {

namespace protobuf = magpie::wire::pb::arbiter;

// --- to protobuf ---

template <std::size_t Size>
std::string text(const std::array<std::uint8_t, Size>& bytes) {
  return {bytes.begin(), bytes.end()};
}

template <class Repeated>
void put_writes(const std::vector<Write>& from, Repeated& to) {
  for (const Write& write : from) {
    protobuf::Write& added = *to.Add();
    added.set_key(write.key);
    if (write.value) added.set_value(*write.value);
  }
}

void put(const Hello& from, protobuf::Message& to) {
  protobuf::Hello& hello = *to.mutable_hello();
  hello.set_oldest_version(from.oldest_version);
  hello.set_newest_version(from.newest_version);
  hello.set_cluster(from.cluster);
  hello.set_node(from.node);
  hello.set_nonce(text(from.nonce));
}
void put(const Welcome& from, protobuf::Message& to) {
  protobuf::Welcome& welcome = *to.mutable_welcome();
  welcome.set_version(from.version);
  welcome.set_nonce(text(from.nonce));
  welcome.set_proof(text(from.proof));
}
void put(const Login& from, protobuf::Message& to) {
  to.mutable_login()->set_proof(text(from.proof));
  to.mutable_login()->set_highest_term(from.highest_term);
}
void put(const Accepted& from, protobuf::Message& to) { to.mutable_accepted()->set_revision(from.revision); }
void put(const Refusal& from, protobuf::Message& to) {
  to.mutable_refusal()->set_code(static_cast<protobuf::RefusalCode>(from.code));
  to.mutable_refusal()->set_reason(from.reason);
}
void put(const Read& from, protobuf::Message& to) {
  protobuf::Read& read = *to.mutable_read();
  read.set_id(from.id);
  for (const std::string& key : from.keys) read.add_keys(key);
}
void put(const Transact& from, protobuf::Message& to) {
  protobuf::Transact& transact = *to.mutable_transact();
  transact.set_id(from.id);
  for (const Compare& compare : from.compares) {
    protobuf::Compare& added = *transact.add_compares();
    added.set_key(compare.key);
    added.set_changed(compare.changed);
  }
  put_writes(from.writes, *transact.mutable_writes());
  for (const std::string& key : from.reads) transact.add_reads(key);
}
void put(const Watch& from, protobuf::Message& to) {
  protobuf::Watch& watch = *to.mutable_watch();
  watch.set_id(from.id);
  watch.set_prefix(from.prefix);
  watch.set_after(from.after);
}
void put(const Unwatch& from, protobuf::Message& to) { to.mutable_unwatch()->set_id(from.id); }
void put(const Answer& from, protobuf::Message& to) {
  protobuf::Answer& answer = *to.mutable_answer();
  answer.set_id(from.id);
  answer.set_succeeded(from.succeeded);
  answer.set_revision(from.revision);
  for (const Entry& entry : from.entries) {
    protobuf::Entry& added = *answer.add_entries();
    added.set_key(entry.key);
    added.set_value(entry.value);
    added.set_changed(entry.changed);
  }
  answer.set_more(from.more);
}
void put(const Refused& from, protobuf::Message& to) {
  to.mutable_refused()->set_id(from.id);
  to.mutable_refused()->set_reason(from.reason);
}
void put(const Changed& from, protobuf::Message& to) {
  protobuf::Changed& changed = *to.mutable_changed();
  changed.set_id(from.id);
  changed.set_revision(from.revision);
  put_writes(from.writes, *changed.mutable_writes());
  changed.set_more(from.more);
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
  void text(const std::string& from, std::string& to, std::size_t most, const char* why) {
    if (from.size() > most) return fail(why);
    to = from;
  }
  template <class Repeated, class Item, class Take>
  void list(const Repeated& from, std::vector<Item>& to, Take take) {
    if (static_cast<std::size_t>(from.size()) > kMostItems) return fail("a list that is too long");
    to.reserve(static_cast<std::size_t>(from.size()));
    for (const auto& one : from) to.push_back(take(one));
  }

 private:
  void fail(const char* why) {
    if (wrong_ == nullptr) wrong_ = why;
  }
  const char* wrong_ = nullptr;
};

constexpr const char* kLongName = "a name that is too long";
constexpr const char* kLongReason = "a reason that is too long";
constexpr const char* kNoNonce = "a nonce that is none";
constexpr const char* kNoProof = "a proof that is none";

std::string take_key(const std::string& from) { return from; }
Compare take_compare(const protobuf::Compare& from) { return {from.key(), from.changed()}; }
Entry take_entry(const protobuf::Entry& from) { return {from.key(), from.value(), from.changed()}; }
Write take_write(const protobuf::Write& from) {
  return {from.key(), from.has_value() ? std::optional(from.value()) : std::nullopt};
}

Message take(const protobuf::Hello& from, Taker& taker) {
  Hello to{.oldest_version = from.oldest_version(), .newest_version = from.newest_version()};
  taker.text(from.cluster(), to.cluster, kMostName, kLongName);
  taker.text(from.node(), to.node, kMostName, kLongName);
  taker.bytes(from.nonce(), to.nonce, kNoNonce);
  return to;
}
Message take(const protobuf::Welcome& from, Taker& taker) {
  Welcome to{.version = from.version()};
  taker.bytes(from.nonce(), to.nonce, kNoNonce);
  taker.bytes(from.proof(), to.proof, kNoProof);
  return to;
}
Message take(const protobuf::Login& from, Taker& taker) {
  Login to{.highest_term = from.highest_term()};
  taker.bytes(from.proof(), to.proof, kNoProof);
  return to;
}
Message take(const protobuf::Accepted& from, Taker&) { return Accepted{from.revision()}; }
Message take(const protobuf::Refusal& from, Taker& taker) {
  Refusal to;
  // A code of a later version is a refusal all the same.
  if (from.code() >= 0 && from.code() <= static_cast<int>(RefusalCode::Busy)) {
    to.code = static_cast<RefusalCode>(from.code());
  }
  taker.text(from.reason(), to.reason, kMostReason, kLongReason);
  return to;
}
Message take(const protobuf::Read& from, Taker& taker) {
  Read to{.id = from.id()};
  taker.list(from.keys(), to.keys, take_key);
  return to;
}
Message take(const protobuf::Transact& from, Taker& taker) {
  Transact to{.id = from.id()};
  taker.list(from.compares(), to.compares, take_compare);
  taker.list(from.writes(), to.writes, take_write);
  taker.list(from.reads(), to.reads, take_key);
  return to;
}
Message take(const protobuf::Watch& from, Taker&) { return Watch{from.id(), from.prefix(), from.after()}; }
Message take(const protobuf::Unwatch& from, Taker&) { return Unwatch{from.id()}; }
Message take(const protobuf::Answer& from, Taker& taker) {
  Answer to{.id = from.id(), .succeeded = from.succeeded(), .revision = from.revision(), .more = from.more()};
  taker.list(from.entries(), to.entries, take_entry);
  return to;
}
Message take(const protobuf::Refused& from, Taker& taker) {
  Refused to{.id = from.id()};
  taker.text(from.reason(), to.reason, kMostReason, kLongReason);
  return to;
}
Message take(const protobuf::Changed& from, Taker& taker) {
  Changed to{.id = from.id(), .revision = from.revision(), .more = from.more()};
  taker.list(from.writes(), to.writes, take_write);
  return to;
}

std::optional<Message> take_any(const protobuf::Message& from, Taker& taker) {
  switch (from.of_case()) {
    case protobuf::Message::kHello:
      return take(from.hello(), taker);
    case protobuf::Message::kWelcome:
      return take(from.welcome(), taker);
    case protobuf::Message::kLogin:
      return take(from.login(), taker);
    case protobuf::Message::kAccepted:
      return take(from.accepted(), taker);
    case protobuf::Message::kRefusal:
      return take(from.refusal(), taker);
    case protobuf::Message::kRead:
      return take(from.read(), taker);
    case protobuf::Message::kTransact:
      return take(from.transact(), taker);
    case protobuf::Message::kWatch:
      return take(from.watch(), taker);
    case protobuf::Message::kUnwatch:
      return take(from.unwatch(), taker);
    case protobuf::Message::kAnswer:
      return take(from.answer(), taker);
    case protobuf::Message::kRefused:
      return take(from.refused(), taker);
    case protobuf::Message::kChanged:
      return take(from.changed(), taker);
    case protobuf::Message::OF_NOT_SET:
      break;
  }
  return std::nullopt;
}

}  // namespace

void append_message(ByteBuffer& to, const Message& message) {
  protobuf::Message out;
  std::visit([&](const auto& one) { put(one, out); }, message);
  append_frame(to, out.SerializeAsString());
}

std::expected<Message, std::string> decode_message(ByteView payload) {
  protobuf::Message message;
  if (payload.size() > kMostFrame || !message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return std::unexpected("a frame that carries no message");
  }
  Taker taker;
  std::optional<Message> taken = take_any(message, taker);
  if (!taken) return std::unexpected("a message of a kind that is not known");
  if (taker.wrong() != nullptr) return std::unexpected(std::string("a message with ") + taker.wrong());
  return *std::move(taken);
}

}  // namespace magpie::wire::arbiter
