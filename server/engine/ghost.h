#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "server/engine/heat.h"
#include "server/engine/memory.h"

namespace magpie::engine {

/// What a stripe evicted lately: for each key a fingerprint of 8 bits and its heat, in sets of four 16-bit cells, first
/// in first out. A key that returns while it is here resumes where it left. Guarded by the stripe's lock.
class Ghost {
 public:
  /// How many keys there are: the next remember() then sees to room for about as many, if what there is differs much.
  /// Not at once, because all stripes are told at the same time.
  void plan(std::size_t keys);
  /// At once; 0: none. What is there is kept as far as it fits.
  void resize(std::size_t keys);
  /// Cells.
  std::size_t size() const { return sets_.size() * kCells; }

  /// Remembers an evicted key; returns the heat of the one that had to leave for it, unused.
  std::optional<Heat> remember(std::uint64_t hash, Heat heat);
  /// The heat that the key had, if it is here; it then leaves. With 4 of 255 of other hashes at most, also so.
  std::optional<Heat> recall(std::uint64_t hash);

  std::size_t sets() const { return sets_.size(); }
  void map_heats(std::size_t set, const HeatMap& map);
  std::size_t memory() const { return sets_.capacity() * sizeof(Set); }

 private:
  /// Four cells, the latest lowest. A cell is the fingerprint, never 0, above the heat; 0 is an empty cell.
  using Set = std::uint64_t;
  static constexpr unsigned kCells = 4;
  static constexpr unsigned kCellBits = 16;
  static constexpr Set kCellMask = 0xffff;

  static Set cell_of(std::uint64_t hash, Heat heat);
  Set& set_of(std::uint64_t hash) { return sets_[(hash >> 32) * sets_.size() >> 32]; }

  std::vector<Set, Allocator<Set>> sets_;
  std::size_t planned_ = 0;  // keys that it is to be made for, 0: it stays
};

}  // namespace magpie::engine
