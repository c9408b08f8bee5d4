#pragma once

#include <compare>
#include <cstdint>

namespace magpie {

/// A point in wall-clock time, milliseconds since the Unix epoch. Passed in; the engine reads no clock.
struct Instant {
  std::int64_t ms = 0;
  friend auto operator<=>(Instant, Instant) = default;
};

/// Number of a database, 0 ..< `databases`.
enum class Db : std::uint32_t {};
constexpr std::uint32_t index_of(Db db) { return static_cast<std::uint32_t>(db); }

}  // namespace magpie
