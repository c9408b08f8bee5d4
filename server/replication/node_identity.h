#pragma once

#include <string>

#include "protocol/wire/messages.h"

namespace magpie::server {

/// Who a node is to its peers. Constant after start.
struct NodeIdentity {
  std::string node;  // name; empty: it has none
  std::string cluster;  // empty: a plain node
  wire::Incarnation incarnation{};  // drawn at each start
};

// Versions of the protocol between nodes that this one speaks.
inline constexpr std::uint32_t kOldestVersion = 1;
inline constexpr std::uint32_t kNewestVersion = 1;

}  // namespace magpie::server
