#pragma once

#include <string>

#include "protocol/wire/messages.h"
#include "protocol/wire/proof.h"

namespace magpie::server {

/// Who a node is to its peers. Constant after start.
struct NodeIdentity {
  std::string node;  // name; empty: it has none
  std::string cluster;  // empty: a plain node
  wire::Incarnation incarnation{};  // drawn at each start
};

// Versions of the protocol between nodes that this one speaks.
inline constexpr std::uint32_t kOldestVersion = 1;
inline constexpr std::uint32_t kNewestVersion = 3;
/// From it on followers take each message of a repair as of a place of its own.
inline constexpr std::uint32_t kRepairInPieces = 2;
/// From it on followers take data compressed.
inline constexpr std::uint32_t kCompressedData = 3;

inline constexpr const char* kOtherSecret =
    "it does not know the secret: requirepass of a leader and masterauth of its followers, or the files of "
    "cluster-secret-file, must be the same";

/// Shows that a side of a conversation, "leader" or "follower", knows the secret: the nonces, the nodes and what they
/// talk about are in it, so that it serves for this conversation only.
inline wire::Proof prove(ByteView secret, ByteView role, const wire::Hello& hello, const wire::Welcome& welcome) {
  const auto bytes = [](const wire::Incarnation& of) {
    return ByteView(reinterpret_cast<const char*>(of.data()), of.size());
  };
  return wire::prove(secret, role, hello.nonce, welcome.nonce,
                     {hello.cluster, bytes(hello.incarnation), bytes(welcome.incarnation)});
}

}  // namespace magpie::server
