// Effects on lists. A list starts as a packed run in its entry, becomes an object when that grows too large, and
// returns when little is left.

#include "protocol/check.h"
#include "server/engine/keyspace.h"

namespace magpie::engine {
namespace {

constexpr std::size_t kReturnsBelow = kPackedListMost / 4;  // bytes

/// A list on its way from one entry to the next: a run while it is small, a List from then on.
class SmallList {
 public:
  explicit SmallList(PackedView view) : run_(view) {}

  std::size_t size() const { return is_large_ ? large_.size() : run_.count(); }
  void insert(std::size_t index, ByteView element) {
    const StringValue value = StringValue::compact(element);
    if (!is_large_ && !has_room(0, value)) grow();
    if (is_large_) {
      large_.insert(index, element);
    } else {
      run_.insert(index, value);
    }
  }
  void set(std::size_t index, ByteView element) {
    const StringValue value = StringValue::compact(element);
    if (!has_room(PackedRun::encoded_size(run_.at(index)), value)) grow();
    if (is_large_) {
      large_.set(index, element);
    } else {
      run_.replace(index, value);
    }
  }
  void erase(std::size_t first, std::size_t count) { run_.erase(first, count); }
  /// Valid until the next change.
  ListView view() const { return is_large_ ? ListView(large_) : ListView(run_.view()); }

 private:
  bool has_room(std::size_t removed, const StringValue& value) const {
    return run_.bytes().size() - removed + PackedRun::encoded_size(value) <= kPackedListMost;
  }
  void grow() {
    large_ = List(std::move(run_));
    is_large_ = true;
  }

  PackedRun run_;
  List large_;
  bool is_large_ = false;
};

/// What is left of the list, if it is little enough for an entry.
std::optional<PackedView> packed_again(const List& list) {
  const std::optional<PackedView> run = list.single_run();
  return run && run->bytes().size() < kReturnsBelow ? run : std::nullopt;
}

}  // namespace

/// Applies edit(list) to the list at the key, of whatever kind: a List where it lies, or a SmallList.
template <class Edit>
void Keyspace::change_list(Db db, const Key& key, Instant now, const Edit& edit) {
  Stripe& at = stripe(key.stripe);
  Partition& partition = stripes_.partition_or_new(at, db);
  changes(at, db, key.bytes);
  const auto [entry, heat] = partition.table.find(key.hash, key.bytes);
  if (entry == nullptr) {
    SmallList list{PackedView()};
    edit(list);
    partition.insert(key.hash, partition.table.make({key.bytes, list.view(), std::nullopt}),
                     first_heat(at, db, key.hash, now));
    return;
  }
  CHECK(entry->type() == ValueType::List);
  touch(at, {entry, heat}, now);
  if (List* const large = entry->large_list()) {
    edit(*large);
    if (large->empty()) return erase_entry(at, partition, key.hash, entry);
    const std::optional<PackedView> run = packed_again(*large);
    if (!run) return;
    partition.table.replace(heat, partition.table.make({key.bytes, ListView(*run), entry->expiry()}));
    return;
  }
  SmallList list(entry->list().packed());
  edit(list);
  if (list.size() == 0) return erase_entry(at, partition, key.hash, entry);
  if (entry->assign_in_place(list.view())) return;
  partition.table.replace(heat, partition.table.make({key.bytes, list.view(), entry->expiry()}));
}

void Keyspace::change(const ListPush& effect, Instant now) {
  if (effect.elements.empty()) return;
  change_list(effect.db, effect.key, now, [&](auto& list) {
    for (const ByteView element : effect.elements) list.insert(effect.end == ListEnd::Front ? 0 : list.size(), element);
  });
}

void Keyspace::change(const ListSet& effect, Instant now) {
  change_list(effect.db, effect.key, now, [&](auto& list) {
    CHECK(effect.index < list.size());
    list.set(effect.index, effect.element);
  });
}

void Keyspace::change(const ListInsert& effect, Instant now) {
  change_list(effect.db, effect.key, now, [&](auto& list) {
    CHECK(effect.index <= list.size());
    list.insert(effect.index, effect.element);
  });
}

void Keyspace::change(const ListErase& effect, Instant now) {
  if (effect.count == 0) return;
  change_list(effect.db, effect.key, now, [&](auto& list) {
    CHECK(effect.first <= list.size() && effect.count <= list.size() - effect.first);
    list.erase(effect.first, effect.count);
  });
}

}  // namespace magpie::engine
