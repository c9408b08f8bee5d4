// Whatever clients send: nothing crashes, all input is consumed or waited for, replies are whole, and the log of what
// changed replays to the same data.
//
// An input is a script. Its first byte chooses the settings (bit 0: a password; bits 1-3: the eviction policy; bit 4: a
// small maxmemory; bit 6: clients' bytes are gathered; bit 7: the node leads a shard; a space is none of these). The
// rest are bytes of client 0, except that the byte 0xff takes the next one as a step: bits 0-1 are the client whose
// bytes follow, bit 2 ends that client's wait, bits 3-7 move the clock by 2^(n-1) ms and let active expiry run. What is
// gathered is executed together, as server/read_batch.h does it, before a wait ends and before the clock moves. A step
// is a turn of the loop as well: it begins with the ends of all waits for room, and after the last one there are turns
// until nobody waits so.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/reply_reader.h"
#include "server/engine/memory.h"
#include "tests/commands/test_server.h"
#include "tests/engine/keyspace_fixture.h"
#include "tests/engine/keyspace_model.h"
#include "tests/protocol/output_text.h"

namespace {

using magpie::ByteView;
using magpie::OutputBuffer;
using magpie::server::Blocked;
using magpie::server::Dispatcher;
using magpie::testing::EffectLog;
using magpie::testing::TestServer;

constexpr char kStep = '\xff';
constexpr std::int64_t kSmallMemory = 64 << 10;

void require(bool condition) {
  if (!condition) std::abort();
}

magpie::config::Settings settings_from(unsigned choice) {
  magpie::config::Settings settings;
  settings.proto_max_bulk_len = 1 << 20;
  settings.databases = 4;
  if ((choice & 1U) != 0) settings.requirepass = "secret";
  settings.maxmemory_policy = static_cast<decltype(settings.maxmemory_policy)>(choice >> 1 & 7U);
  if ((choice & 16U) != 0) settings.maxmemory = magpie::engine::used_memory() + kSmallMemory;
  return settings;
}

/// As the leader, and for good; of the two others one is gone.
void lead_shard(magpie::server::ShardGate& gate) {
  gate.enable();
  magpie::server::ShardPicture picture;
  picture.cluster = "fuzzed";
  picture.nodes.resize(3);
  picture.nodes[0] = {
      .id = "a", .host = "10.0.0.1", .port = 7000, .self = true, .leads = true, .in_isr = true, .alive = true};
  picture.nodes[1] = {.id = "b", .host = "10.0.0.2", .port = 7000, .in_isr = true, .alive = true};
  picture.nodes[2].id = "c";
  picture.role = magpie::server::ShardPicture::Role::Leader;
  picture.term = {1};
  gate.publish(std::move(picture));
  magpie::server::ShardGate::Now now;
  now.serve_until = magpie::cluster::kNever;
  now.leads = true;
  now.enough_members = true;
  gate.publish(now);
}

void check_replies(ByteView replies) {
  while (!replies.empty()) {
    magpie::resp::Reply reply;
    const auto outcome = magpie::resp::read_reply(replies, {}, reply);
    const auto* parsed = std::get_if<magpie::resp::ReplyParsed>(&outcome);
    require(parsed != nullptr && parsed->consumed > 0);
    replies.remove_prefix(parsed->consumed);
  }
}

/// What a connection keeps between reads.
struct Connection {
  std::size_t client = 0;  // its number in the server; a closed connection is followed by a new client
  std::string input;
  std::string gathered;  // not yet seen by the dispatcher; `input` is empty then
  magpie::resp::ParseCursor progress;
};

/// A copy of exactly these bytes, so that reading behind them is noticed.
struct Copy {
  explicit Copy(std::string_view from) : bytes(std::make_unique<char[]>(from.size())), size(from.size()) {
    std::memcpy(bytes.get(), from.data(), size);
  }
  ByteView view() const { return {bytes.get(), size}; }
  std::unique_ptr<char[]> bytes;
  std::size_t size;
};

class Session {
 public:
  explicit Session(unsigned choice) : server_(settings_from(choice)), gathers_((choice & 64U) != 0) {
    server_.keyspace().set_sink(&log_);
    server_.keyspace().set_eviction({.policy = static_cast<magpie::engine::EvictionPolicy>(choice >> 1 & 7U)});
    for (Connection& connection : connections_) connection.client = next_client_++;
    if ((choice & 128U) != 0) lead_shard(server_.state().shard);
  }

  void step(unsigned step) {
    end_waits_for_room();
    if (step >= 4) run_gathered();
    at_ = step & 3U;
    if ((step & 4U) != 0) {
      OutputBuffer out;
      server_.dispatcher().finish_wait(client_of(connections_[at_]), out, step >= 128);
      check_replies(magpie::testing::text_of(out));
    }
    if (step >= 8) {
      server_.advance(std::int64_t{1} << ((step >> 3) - 1));
      magpie::testing::expire_all(server_.keyspace(), server_.now());
    }
    run(connections_[at_]);
  }

  void feed(ByteView bytes) {
    Connection& connection = connections_[at_];
    if (gathers_ && connection.input.empty()) {
      connection.gathered += bytes;
    } else {
      connection.input += bytes;
      run(connection);
    }
  }

  void run_gathered() {
    std::vector<Connection*> gathered;
    std::vector<Copy> copies;
    std::vector<Dispatcher::Head> heads;
    for (Connection& connection : connections_) {
      if (connection.gathered.empty()) continue;
      connection.input.swap(connection.gathered);
      gathered.push_back(&connection);
      copies.emplace_back(connection.input);
      heads.push_back({&client_of(connection), copies.back().view(), &connection.progress});
    }
    for (std::size_t i = 0; i < heads.size(); ++i) server_.dispatcher().look_ahead(i, heads[i]);
    for (std::size_t i = 0; i < gathered.size(); ++i) {
      OutputBuffer out;
      const Dispatcher::Outcome outcome =
          server_.dispatcher().run_head(i, *heads[i].client, heads[i].input, *heads[i].progress, out, server_.now());
      if (i < Dispatcher::kFetchSteps) server_.dispatcher().fetch_last_heads(heads.size());
      if (take(*gathered[i], outcome, magpie::testing::text_of(out))) run(*gathered[i]);
    }
  }

  /// The end of the script.
  void finish() {
    run_gathered();
    while (end_waits_for_room()) {
    }
  }

  void check_log() {
    magpie::engine::Keyspace again({server_.keyspace().databases(), false});
    log_.replay_into(again, server_.now());
    require(again.digest() == server_.keyspace().digest());
  }

 private:
  magpie::server::ClientState& client_of(const Connection& connection) { return server_.client(connection.client); }

  bool waits_for_room(const Connection& connection) {
    const auto& blocked = client_of(connection).blocked;
    return blocked && blocked->kind == Blocked::Kind::Room;
  }

  /// As LoopWorker::end_wait_in_next_turn() does it. False if there was none.
  bool end_waits_for_room() {
    bool any = false;
    for (Connection& connection : connections_) {
      if (!waits_for_room(connection)) continue;
      any = true;
      end_wait_for_room(connection);
    }
    return any;
  }

  /// The command comes again: it runs, or it owes fewer evictions.
  void end_wait_for_room(Connection& connection) {
    const std::size_t input = connection.input.size();
    const std::size_t owed = client_of(connection).evictions_owed;
    OutputBuffer out;
    server_.dispatcher().finish_wait(client_of(connection), out, false);
    require(out.empty() && input > 0);
    run(connection);
    require(!waits_for_room(connection) || connection.input.size() < input ||
            client_of(connection).evictions_owed < owed);
  }

  void run(Connection& connection) {
    while (true) {
      const Copy copy(connection.input);
      OutputBuffer out;
      const Dispatcher::Outcome outcome =
          server_.dispatcher().run(client_of(connection), copy.view(), connection.progress, out, server_.now());
      if (!take(connection, outcome, magpie::testing::text_of(out))) return;
    }
  }

  /// True if the rest of the input is to be executed at once.
  bool take(Connection& connection, const Dispatcher::Outcome& outcome, ByteView replies) {
    check_replies(replies);
    require(outcome.consumed <= connection.input.size());
    connection.input.erase(0, outcome.consumed);
    switch (outcome.state) {
      case Dispatcher::State::NeedInput:
        require(outcome.at_least == 0 || outcome.at_least > connection.input.size());
        return false;
      case Dispatcher::State::OutputFull:
        require(outcome.consumed > 0);
        return true;
      case Dispatcher::State::Blocked:
        require(client_of(connection).blocked.has_value());
        return false;
      case Dispatcher::State::Close:
      case Dispatcher::State::CutOff:
        connection = {next_client_++, {}, {}, {}};
        return false;
    }
    return false;
  }

  TestServer server_;
  EffectLog log_;
  const bool gathers_;
  std::array<Connection, 4> connections_;
  std::size_t at_ = 0;
  std::size_t next_client_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view script(reinterpret_cast<const char*>(data) + 1, size - 1);
  Session session(data[0]);
  while (!script.empty()) {
    const std::size_t end = std::min(script.find(kStep), script.size());
    if (end > 0) session.feed(script.substr(0, end));
    script.remove_prefix(end);
    if (script.size() >= 2) session.step(static_cast<unsigned char>(script[1]));
    script.remove_prefix(std::min<std::size_t>(script.size(), 2));
  }
  session.finish();
  session.check_log();
  return 0;
}
