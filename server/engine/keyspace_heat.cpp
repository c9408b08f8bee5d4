// How keys are used: what a hit does to the heat of a key.

#include "server/engine/keyspace.h"
#include "server/engine/random.h"

namespace magpie::engine {

void Keyspace::touch(Stripe& at, const Table::Found& used, Instant now) {
  const EvictionPolicy policy = this->policy();
  Heat& heat = *used.heat;
  if (uses_frequency(policy)) {
    const Heat next = next_frequency(eviction(), heat, random());
    if (next != heat) heat = next;
    return;
  }
  if (epochs_.is_due(now)) epochs_.go_on(now);
  const Label current = epochs_.current();
  if (label_of(heat) == current) return;  // a hot key's line stays clean
  // Keys that may not go say nothing about those that may.
  const bool may_go = !only_volatile(policy) || used.entry->has_expiry();
  if (may_go && at.ghost.size() > 0) UseCounts::add(at.uses.hits, epochs_, heat);
  heat = make_heat(next_class(class_of(heat), random), current);
}

/// Of a new key; one that was evicted not long ago resumes its class.
Heat Keyspace::first_heat(Stripe& at, Db db, std::uint64_t hash, Instant now) {
  if (uses_frequency(policy())) return kFirstFrequency;
  if (epochs_.is_due(now)) epochs_.go_on(now);
  unsigned in_class = 0;
  if (const auto heat = at.ghost.recall(ghost_hash(db, hash))) {
    UseCounts::add(at.uses.hits, epochs_, *heat);
    in_class = class_of(*heat);
    if (epochs_.age(label_of(*heat)) > 0) in_class = next_class(in_class, random);
  }
  return make_heat(in_class, epochs_.current());
}

std::optional<Heat> Keyspace::heat(Db db, const Key& key) const {
  const Partition* const partition = stripe(key.stripe).partition(db);
  const Heat* const heat = partition == nullptr ? nullptr : partition->table.find(key.hash, key.bytes).heat;
  if (heat == nullptr) return std::nullopt;
  return *heat;
}

void Keyspace::set_heat(Db db, const Key& key, Heat heat) {
  Partition* const partition = stripe(key.stripe).partition(db);
  if (partition == nullptr) return;
  if (Heat* const at = partition->table.find(key.hash, key.bytes).heat) *at = heat;
}

std::int64_t Keyspace::idle_ms(Heat heat, Instant now) {
  if (epochs_.is_due(now)) epochs_.go_on(now);
  return epochs_.idle_ms(label_of(heat), now);
}

}  // namespace magpie::engine
