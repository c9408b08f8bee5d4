#pragma once

#include <cstddef>

#include "server/engine/list.h"
#include "server/engine/packed_run.h"

namespace magpie::engine {

/// A list that may be kept in the entry has at most so many bytes; that is at most kPackedListMost / 2 elements.
inline constexpr std::size_t kPackedListMost = 440;
static_assert(kPackedListMost / 2 <= UINT8_MAX);

/// The list at a key, to be read: one packed run inside the entry, or a List. Borrowed until the key changes. Elements
/// are returned as Integer or Plain.
class ListView {
 public:
  class Cursor;

  explicit ListView(PackedView packed) : packed_(packed) {}
  explicit ListView(const List& large) : large_(&large) {}

  std::size_t size() const { return large_ != nullptr ? large_->size() : packed_.count(); }
  StringValue at(std::size_t index) const { return large_ != nullptr ? large_->at(index) : packed_.at(index); }
  List::Place find(std::size_t index) const {
    return large_ != nullptr ? large_->find(index) : List::Place{packed_, index};
  }
  /// Whether its elements, as encoded, take at most so many bytes. As slow as there are runs in them.
  bool fits_bytes(std::size_t most) const {
    std::size_t sum = 0;
    for (std::size_t index = 0; index < size() && sum <= most;) {
      const List::Place place = find(index);
      sum += place.run.bytes().size();
      index += place.run.count() - place.index;
    }
    return sum <= most;
  }
  /// Null if it is packed.
  const List* large() const { return large_; }
  PackedView packed() const { return packed_; }

 private:
  PackedView packed_;
  const List* large_ = nullptr;
};

/// Walks a list from an index in both directions, O(1) per element and O(log n) per chunk. Until the list changes.
class ListView::Cursor {
 public:
  Cursor(const ListView& list, std::size_t index) : list_(list) { seek(index); }

  /// False once it has gone past either end; then it stays there.
  bool valid() const { return valid_; }
  std::size_t index() const { return index_; }
  StringValue value() const { return run_.value_at(offset_); }
  void next() {
    ++index_;
    offset_ = run_.next(offset_);
    if (offset_ == run_.bytes().size()) seek(index_);
  }
  void previous() {
    if (offset_ == 0) return seek(index_ - 1);  // before the first, that is beyond any size
    --index_;
    offset_ = run_.previous(offset_);
  }

 private:
  void seek(std::size_t index) {
    index_ = index;
    valid_ = index < list_.size();
    if (!valid_) return;
    const List::Place place = list_.find(index);
    run_ = place.run;
    offset_ = run_.offset_of(place.index);
  }

  ListView list_;
  std::size_t index_ = 0;
  PackedView run_;
  std::size_t offset_ = 0;
  bool valid_ = false;
};

}  // namespace magpie::engine
