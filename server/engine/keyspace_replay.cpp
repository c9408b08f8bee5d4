// Which effects from outside fit what is here. Everything else is checked where they are decoded.

#include "server/engine/keyspace.h"

namespace magpie::engine {
namespace {

/// Of a list effect, given the size of the list at its key, 0 if there is nothing.
bool fits(const ListPush&, std::size_t) { return true; }
bool fits(const ListSet& effect, std::size_t size) { return effect.index < size; }
bool fits(const ListInsert& effect, std::size_t size) { return effect.index <= size; }
bool fits(const ListErase& effect, std::size_t size) {
  return effect.first <= size && effect.count <= size - effect.first;
}

template <class SomeEffect>
constexpr bool kOfList = std::is_same_v<SomeEffect, ListPush> || std::is_same_v<SomeEffect, ListSet> ||
                         std::is_same_v<SomeEffect, ListInsert> || std::is_same_v<SomeEffect, ListErase>;

}  // namespace

bool Keyspace::can_replay(const Effect& effect) const {
  const auto entry_at = [&](Db db, const Key& key) -> const Entry* {
    const Partition* const partition = stripe(key.stripe).partition(db);
    return partition == nullptr ? nullptr : partition->table.find(key.hash, key.bytes).entry;
  };
  return std::visit(
      [&]<class SomeEffect>(const SomeEffect& one) {
        if constexpr (kOfList<SomeEffect>) {
          const Entry* const entry = entry_at(one.db, one.key);
          if (entry == nullptr) return fits(one, 0);
          return entry->type() == ValueType::List && fits(one, entry->list().size());
        } else if constexpr (std::is_same_v<SomeEffect, Overwrite>) {
          const Entry* const entry = entry_at(one.db, one.key);
          return entry == nullptr || entry->type() == ValueType::String;
        } else {
          return true;
        }
      },
      effect);
}

}  // namespace magpie::engine
