// What a leader sends, once it has shown that it knows the secret: a follower takes it, or ends the conversation; its
// data and its log stay in order whatever comes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "protocol/wire/frame.h"
#include "server/replication/leader_session.h"

namespace {

using magpie::ByteBuffer;
using magpie::ByteView;
using magpie::Instant;
namespace engine = magpie::engine;
namespace server = magpie::server;
namespace wire = magpie::wire;

constexpr Instant kNow{1'700'000'000'000};

void require(bool condition) {
  if (!condition) std::abort();
}

/// What a follower says first, read back.
wire::Hello hello_in(const ByteBuffer& sent) {
  wire::MessageDecoder decoder;
  const auto parsed = wire::parse_frame(sent.view());
  const auto* const frame = std::get_if<wire::Frame>(&parsed);
  require(frame != nullptr);
  const auto message = decoder.decode(frame->payload);
  require(message.has_value());
  return std::get<wire::Hello>(*message);
}

}  // namespace

/// The input is messages without frames, each behind two bytes of length: checksums are hard to guess.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  engine::Keyspace keyspace({16, true});
  server::Replication replication(keyspace);
  replication.configure({.always = false, .log_capacity = std::size_t{1} << 20});
  replication.follow({"leader", 1});
  server::NodeIdentity identity;
  server::LeaderSession session(keyspace, replication, identity, {});
  ByteBuffer out;
  session.begin(out);
  const wire::Hello hello = hello_in(out);
  wire::Welcome welcome{.version = server::kNewestVersion};
  welcome.incarnation.fill(1);
  welcome.proof = server::prove("", "leader", hello, welcome);
  require(session.take(welcome, 1, kNow, out).has_value());
  wire::MessageDecoder decoder;
  ByteView input(reinterpret_cast<const char*>(data), size);
  while (input.size() >= 2) {
    const auto length =
        static_cast<std::size_t>(static_cast<std::uint8_t>(input[0]) << 8 | static_cast<std::uint8_t>(input[1]));
    input.remove_prefix(2);
    const auto message = decoder.decode(input.substr(0, length));
    input.remove_prefix(std::min(length, input.size()));
    if (!message) continue;
    out.truncate(0);
    if (!session.take(*message, length, kNow, out)) break;
    session.confirm(out);
  }
  std::size_t keys = 0;
  for (std::uint32_t db = 0; db < keyspace.databases(); ++db) {
    keyspace.visit_all(magpie::Db{db}, [&](const engine::Entry&) { ++keys; });
    keys -= keyspace.keys(magpie::Db{db});
  }
  require(keys == 0);
  while (keyspace.free_some(1000) > 0) {
  }
  return 0;
}
