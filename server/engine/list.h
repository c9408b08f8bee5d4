#pragma once

#include <cstddef>
#include <optional>

#include "protocol/bytes.h"
#include "server/engine/list_tree.h"
#include "server/engine/packed_run.h"
#include "server/engine/string_value.h"

namespace magpie::engine {

/// A list of any length: packed runs of up to 4 KB in a tree, its first and last one at hand, so that pushing and
/// popping rarely touch the tree. A copy shares everything and costs O(1); whoever changes first copies what changes.
/// Setting, inserting, erasing a range are O(log n); what is erased, and a list that is destroyed, is freed by
/// free_some(). One thread at a time per list; lists that share may be on different threads.
///
/// Elements are given as text, kept as numbers where they are some, and returned as Integer or Plain, borrowed until
/// the list changes. What is given must not be borrowed from this list. Indices must be within it.
class List {
 public:
  List() = default;
  /// A list of the run's elements.
  explicit List(PackedRun run);

  std::size_t size() const { return count(head_) + tree_.size() + count(tail_); }
  bool empty() const { return size() == 0; }
  void push_front(ByteView element);
  void push_back(ByteView element);
  void pop_front();
  void pop_back();
  StringValue at(std::size_t index) const;
  /// The run that the element lies in, and which one it is there.
  struct Place {
    PackedView run;
    std::size_t index;
  };
  Place find(std::size_t index) const;
  /// All of the list if it lies in one run.
  std::optional<PackedView> single_run() const;
  /// Bytes it takes, roughly: from 64 places in it. What it shares with copies counts too.
  std::size_t memory() const;
  void set(std::size_t index, ByteView element);
  /// Before the element there; at size() it is push_back().
  void insert(std::size_t index, ByteView element);
  void erase(std::size_t first, std::size_t count);
  /// For tests, O(n).
  bool consistent() const { return tree_.consistent(); }

  /// Frees chunks of lists that are gone until there are `limit` (at most two more) and returns how many; 0 if nothing
  /// waits. Any thread; for the background work.
  static std::size_t free_some(std::size_t limit) { return DetachedNodes::instance().free_some(limit); }

 private:
  static std::size_t count(const ChunkRef& chunk) { return chunk ? chunk->run.count() : 0; }
  PackedRun& writable(std::size_t& index, int added);
  void fold();

  ChunkRef head_;  // null or not empty, as the tail
  ListTree tree_;
  ChunkRef tail_;
};

/// A list in a block of its own from allocate(), O(1) as every copy.
List* copy_list(const List& from);
void destroy_list(List* list);

}  // namespace magpie::engine
