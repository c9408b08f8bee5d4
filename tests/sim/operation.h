#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cluster/replication/position.h"

namespace magpie::sim {

/// Keys of the simulated data: registers that one command writes, two that are only ever written together, lists.
inline constexpr std::size_t kRegisters = 3;
inline constexpr std::size_t kPair = kRegisters;  // and the one after it
inline constexpr std::size_t kLists = 2;
inline constexpr std::size_t kFirstList = kPair + 2;
inline constexpr std::size_t kKeys = kFirstList + kLists;

/// Every written value is another one; 0 is what a register holds that nobody has written.
using Value = std::uint32_t;

struct Operation {
  enum class Kind : std::uint8_t { Read, Write, WritePair, Push, ReadList } kind = Kind::Read;
  std::size_t key = 0;
  Value value = 0;  // to be written

  bool writes() const { return kind != Kind::Read && kind != Kind::ReadList; }
};

/// What a client is told.
struct Reply {
  enum class Status : std::uint8_t {
    Done,
    Refused,  // not executed, and never will be
    Unknown,
  } status = Status::Unknown;
  Value value = 0;          // of Read
  std::vector<Value> list;  // of ReadList
};

}  // namespace magpie::sim
