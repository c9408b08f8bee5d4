// Tables: going through entries.

#include <algorithm>
#include <bit>

#include "server/engine/table.h"

namespace magpie::engine {
namespace {

std::uint64_t reverse_bits(std::uint64_t v) {
  v = __builtin_bswap64(v);
  v = ((v >> 4) & 0x0f0f0f0f0f0f0f0f) | ((v & 0x0f0f0f0f0f0f0f0f) << 4);
  v = ((v >> 2) & 0x3333333333333333) | ((v & 0x3333333333333333) << 2);
  return ((v >> 1) & 0x5555555555555555) | ((v & 0x5555555555555555) << 1);
}

}  // namespace

Table::Found Table::find_in_chain(std::size_t bucket, Handle handle) const {
  Found found;
  if (bucket >= buckets()) return found;
  visit_places(at(bucket), [&](Place place) {
    if (place.handle() == handle) found = found_at(place);
  });
  return found;
}

void Table::map_heats(std::size_t bucket, const HeatMap& map) {
  for (Bucket* part = &at(bucket); part != nullptr; part = overflow_of(*part)) {
    // Those of empty places too: they mean nothing. Mostly nothing changes, and then nothing is written.
    unsigned changed = 0;
    for (const Heat heat : part->heats) {
      changed |= engine::index_of(heat) ^ engine::index_of(map[engine::index_of(heat)]);
    }
    if (changed == 0) continue;
    for (Heat& heat : part->heats) heat = map[engine::index_of(heat)];
  }
}

void Table::visit_chain(const Bucket& first, const Visitor& visit) const {
  visit_places(first, [&](Place at) { heap_.prefetch(at.handle()); });
  visit_places(first, [&](Place at) { visit(*heap_.at(at.handle())); });
}

Position Table::position_of(std::uint64_t hash) { return reverse_bits(hash); }

Position Table::visit_bucket(Position position, const Visitor& visit) const {
  visit_chain(at(index_of(reverse_bits(position))), visit);
  return range_of(position).end;
}

Table::Range Table::range_of(Position position) const {
  const std::size_t index = index_of(reverse_bits(position));
  // A bucket covers the positions that share its low hash bits: one bit more where it is already split.
  const std::size_t low = low_mask();
  const bool split = index > low || index + low + 1 < buckets();
  const auto bits = static_cast<unsigned>(std::popcount(low)) + (split ? 1 : 0);
  if (bits == 0) return {0, 0};
  const Position width = Position{1} << (64 - bits);
  const Position begin = reverse_bits(index);
  return {begin, begin + width};  // wraps to 0 behind the last one
}

void Table::visit_group(std::uint32_t group, const Visitor& visit) const {
  const std::size_t first = group * kGroupBuckets;
  const std::size_t end = std::min(first + kGroupBuckets, buckets());
  for (std::size_t index = first; index < end; ++index) __builtin_prefetch(&at(index));
  for (std::size_t index = first; index < end; ++index) visit_chain(at(index), visit);
}

void Table::visit_all(const Visitor& visit) const {
  for (std::size_t index = 0; index < buckets(); ++index) visit_chain(at(index), visit);
}

std::size_t Table::chain_length(const Bucket& first) const {
  std::size_t count = 0;
  visit_places(first, [&](Place) { ++count; });
  return count;
}

Table::Found Table::nth_of_chain(const Bucket& first, std::size_t n) const {
  Found found;
  visit_places(first, [&](Place at) {
    if (n-- == 0) found = found_at(at);
  });
  return found;
}

Table::Found Table::sample(std::uint64_t random) const {
  if (size_ == 0) return {};
  // A place of a bucket is drawn, and another one if that is empty: else entries of short chains would be drawn more.
  constexpr int kFairTries = 4;
  for (int attempt = 0; attempt < kFairTries; ++attempt) {
    const Bucket& bucket = at((random >> 16) % buckets());
    const std::size_t count = chain_length(bucket);
    const std::size_t place = (random & 0xffff) % std::max(count, kPlaces);
    if (place < count) return nth_of_chain(bucket, place);
    random = std::rotl(random * 0x9e3779b97f4a7c15 + 1, 29);
  }
  for (std::size_t index = (random >> 16) % buckets();; index = (index + 1) % buckets()) {
    const std::size_t count = chain_length(at(index));
    if (count > 0) return nth_of_chain(at(index), (random & 0xffff) % count);
  }
}

}  // namespace magpie::engine
