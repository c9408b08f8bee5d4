#pragma once

#include <compare>
#include <cstdint>

namespace magpie {

/// A place in a shard's log of effects: how many bytes it has had before, since the shard began. The LSN of a record is
/// that of its end, so a replica that has applied it has "reached" it.
struct Lsn {
  std::uint64_t bytes = 0;
  friend auto operator<=>(Lsn, Lsn) = default;
  Lsn operator+(std::uint64_t more) const { return {bytes + more}; }
};
constexpr std::uint64_t operator-(Lsn later, Lsn earlier) { return later.bytes - earlier.bytes; }

/// Number of a leadership; the next leader has a higher one. 0: there has been none.
struct Term {
  std::uint64_t number = 0;
  friend auto operator<=>(Term, Term) = default;
};

}  // namespace magpie
