#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "server/engine/packed_run.h"

namespace magpie::engine {

/// One of the owners of a T, which counts them in T::references and goes with the last, through T::destroy().
template <class T>
class Shared {
 public:
  Shared() = default;
  /// Takes over the reference that a new T has.
  explicit Shared(T* fresh) : object_(fresh) {}
  Shared(const Shared& other) : object_(other.object_) {
    if (object_ != nullptr) object_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Shared(Shared&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Shared() {
    if (object_ != nullptr && object_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) T::destroy(object_);
  }

  explicit operator bool() const { return object_ != nullptr; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  /// True: nobody else can see it, so it may be changed.
  bool unique() const { return object_->references.load(std::memory_order_acquire) == 1; }

 private:
  T* object_ = nullptr;
};

struct ListChunk {
  /// A chunk holds more only if it is one element; a size class of the allocator.
  static constexpr std::size_t kBytes = 4096;

  std::atomic<std::uint32_t> references{1};
  PackedRun run;

  static void destroy(ListChunk* chunk);
};
static_assert(ListChunk::kBytes / 2 <= UINT16_MAX);  // an element has two bytes at least
using ChunkRef = Shared<ListChunk>;

ChunkRef make_chunk(PackedRun run = {});
/// The chunk's run to be changed; if it is shared, `chunk` becomes a copy first.
PackedRun& writable_run(ChunkRef& chunk);

struct ListNode {
  std::atomic<std::uint32_t> references{1};
  std::uint16_t height = 1;
  std::uint16_t here = 0;  // elements of the chunk, so that a search need not look at it
  std::uint64_t before = 0;  // elements of the left subtree
  std::uint64_t count = 0;   // and of all of this one
  Shared<ListNode> left;
  ChunkRef chunk;
  Shared<ListNode> right;

  /// A node without children goes at once, one with children to DetachedNodes.
  static void destroy(ListNode* node);
};
using NodeRef = Shared<ListNode>;

/// Trees that nobody owns any more and that wait to be freed in slices. They count as used until then. One for the
/// process; any thread.
class DetachedNodes {
 public:
  static DetachedNodes& instance();

  void add(ListNode* node);
  /// Background work. Frees chunks until there are `limit` (at most two more) and returns how many; 0 if nothing waits.
  std::size_t free_some(std::size_t limit);
  /// Trees that wait, of any size.
  std::size_t pending() const;

 private:
  ListNode* take();

  mutable std::mutex lock_;
  std::vector<ListNode*> nodes_;
};

/// A sequence of chunks in a balanced binary tree (AVL; Blelloch, Ferizovic, Sun: "Just Join for Parallel Ordered
/// Sets", 2016) with the number of elements per subtree. Copies share everything and copy what is changed, node by
/// node. One thread at a time per tree; trees that share may be on different threads. All is O(log n) unless it says
/// otherwise.
class ListTree {
 public:
  /// An element's chunk and its index there.
  struct Place {
    const PackedRun* run;
    std::size_t index;
  };

  std::size_t size() const { return root_ ? root_->count : 0; }  // elements
  bool empty() const { return !root_; }
  void push_first(ChunkRef chunk);
  void push_last(ChunkRef chunk);
  /// There must be one.
  ChunkRef pop_first();
  ChunkRef pop_last();
  Place find(std::size_t index) const;
  /// The run that holds the element, for the caller to add `added` elements to it (take out, if negative); makes
  /// `index` that in the run.
  PackedRun& writable(std::size_t& index, int added);
  /// Takes the elements from `index` on out of this tree; cuts a chunk in two if need be.
  ListTree split_off(std::size_t index);
  /// Puts the other tree behind this one; the chunks that meet become one if they fit.
  void append(ListTree other);
  /// For tests, O(n): heights, balance, counts and chunk sizes are right.
  bool consistent() const;

 private:
  NodeRef root_;
};

}  // namespace magpie::engine
