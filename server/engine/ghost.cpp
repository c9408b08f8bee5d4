#include "server/engine/ghost.h"

#include <utility>

namespace magpie::engine {
namespace {

Heat heat_in(std::uint64_t cell) { return Heat{static_cast<std::uint8_t>(cell)}; }

/// The set is chosen by the upper half of what comes out, the fingerprint by the lowest byte: neither may depend on the
/// bits of the hash that chose the key's bucket.
std::uint64_t mixed(std::uint64_t hash) {
  hash *= 0x9e3779b97f4a7c15;
  return hash ^ hash >> 32;
}

}  // namespace

Ghost::Set Ghost::cell_of(std::uint64_t hash, Heat heat) {
  const Set print = hash % 255 + 1;
  return print << 8 | index_of(heat);
}

void Ghost::plan(std::size_t keys) {
  constexpr std::size_t kFewKeys = 8;
  // Not for every change: a new size costs some of what is remembered.
  const bool other = size() < keys * 3 / 4 || size() > keys + keys / 2 + kFewKeys;
  planned_ = other ? keys : 0;
}

void Ghost::resize(std::size_t keys) {
  std::vector<Set, Allocator<Set>> sets((keys + kCells - 1) / kCells);
  // A set stands for a range of hashes: the new one takes over the cells of the old one where its range begins.
  for (std::size_t i = 0; i < sets.size() && !sets_.empty(); ++i) sets[i] = sets_[i * sets_.size() / sets.size()];
  sets_ = std::move(sets);
  planned_ = 0;
}

std::optional<Heat> Ghost::remember(std::uint64_t hash, Heat heat) {
  if (planned_ > 0) resize(planned_);
  if (sets_.empty()) return std::nullopt;
  hash = mixed(hash);
  Set& set = set_of(hash);
  const Set oldest = set >> (kCells - 1) * kCellBits;
  set = set << kCellBits | cell_of(hash, heat);
  if (oldest == 0) return std::nullopt;
  return heat_in(oldest);
}

std::optional<Heat> Ghost::recall(std::uint64_t hash) {
  if (sets_.empty()) return std::nullopt;
  hash = mixed(hash);
  Set& set = set_of(hash);
  const Set print = cell_of(hash, Heat{0}) >> 8;
  for (unsigned shift = 0; shift < kCells * kCellBits; shift += kCellBits) {
    const Set cell = set >> shift & kCellMask;
    if (cell >> 8 != print) continue;
    const Set newer = set & ((Set{1} << shift) - 1);
    const Set older = shift + kCellBits < kCells * kCellBits ? set >> (shift + kCellBits) << shift : 0;
    set = older | newer;
    return heat_in(cell);
  }
  return std::nullopt;
}

void Ghost::map_heats(std::size_t number, const HeatMap& map) {
  Set mapped = 0;
  for (unsigned shift = 0; shift < kCells * kCellBits; shift += kCellBits) {
    const Set cell = sets_[number] >> shift & kCellMask;
    if (cell != 0) mapped |= (cell & 0xff00) << shift | Set{index_of(map[index_of(heat_in(cell))])} << shift;
  }
  if (mapped != sets_[number]) sets_[number] = mapped;
}

}  // namespace magpie::engine
