#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "tests/commands/test_server.h"

namespace magpie::testing {

using server::ShardGate;
using server::ShardPicture;

// wire_id("c", "a") and so on.
inline const std::string kA = "3bc93b66bcb0d1c826d83b8404af2cf48cdca708";
inline const std::string kB = "daf70bd59d5f738de6f160c3c2ebb88902845760";
inline const std::string kC = "29cac9633de37f9d61a9096a81cac8a223741ecf";

inline ShardPicture::Node shard_node(const std::string& id, int number) {
  return {.id = id,
          .host = "10.0.0." + std::to_string(number),
          .port = 7100 + number,
          .node_port = 17100 + number,
          .in_isr = true,
          .alive = true};
}

/// Three nodes, this one is b; a leads.
inline ShardPicture three_nodes() {
  ShardPicture picture;
  picture.cluster = "c";
  picture.nodes = {shard_node("a", 1), shard_node("b", 2), shard_node("c", 3)};
  picture.nodes[0].leads = true;
  picture.nodes[1].self = true;
  picture.role = ShardPicture::Role::Follower;
  picture.term = {(std::uint64_t{7} << 32) + 5};
  return picture;
}

/// The same where b leads.
inline ShardPicture led_by_b() {
  ShardPicture picture = three_nodes();
  picture.nodes[0].leads = false;
  picture.nodes[1].leads = true;
  picture.role = ShardPicture::Role::Leader;
  return picture;
}

enum class Lease : std::uint8_t { None, Mine, Others };

inline ShardGate::Now now_with(Lease lease, bool leads) {
  const auto soon = server::boot_clock() + std::chrono::minutes(10);
  ShardGate::Now now;
  now.leads = leads;
  if (lease == Lease::Mine) now.serve_until = soon;
  if (lease == Lease::Others) now.leader_until = soon;
  return now;
}

/// A server that is node b of that shard, under a lease: its own, or that of a leader it hears.
struct ShardServer {
  explicit ShardServer(ShardPicture picture) {
    gate().enable();
    const bool leads = picture.leader() != nullptr && picture.leader()->self;
    gate().publish(std::move(picture));
    gate().publish(now_with(leads ? Lease::Mine : Lease::Others, leads));
  }
  ShardGate& gate() { return server.state().shard; }
  std::string run(const std::string& words) { return server.run(words); }

  TestServer server;
};

inline std::string bulk(const std::string& text) { return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n"; }

inline std::string verbatim(const std::string& text) {
  return "=" + std::to_string(text.size() + 4) + "\r\ntxt:" + text + "\r\n";
}

}  // namespace magpie::testing
