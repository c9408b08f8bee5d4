#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>

#include "cluster/replication/position.h"

namespace magpie::cluster {

/// The name of a node; it keeps it over restarts. Letters, digits and "._:-", at most kMostNodeId of them.
struct NodeId {
  std::string text;
  friend auto operator<=>(const NodeId&, const NodeId&) = default;
};
inline constexpr std::size_t kMostNodeId = 256;

/// One start of a node: random bits, drawn anew whenever it has lost its memory.
struct Incarnation {
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const Incarnation&, const Incarnation&) = default;
};

/// Who holds data: never a node as such, always one start of it (R5).
struct Member {
  NodeId node;
  Incarnation incarnation;
  friend auto operator<=>(const Member&, const Member&) = default;
};

/// How far a log goes: the term of its last record, and that record's LSN. Of two, the higher one has more.
struct LogPosition {
  Term term;
  Lsn lsn;
  friend auto operator<=>(const LogPosition&, const LogPosition&) = default;
};

}  // namespace magpie::cluster
