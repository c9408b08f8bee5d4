#include "server/engine/list_tree.h"

#include <algorithm>
#include <new>

#include "server/engine/memory.h"

namespace magpie::engine {
namespace {

struct Parts {
  NodeRef left;
  ChunkRef chunk;
  NodeRef right;
};

struct Halves {
  NodeRef left;
  NodeRef right;
};

std::uint32_t height(const NodeRef& node) { return node ? node->height : 0U; }
std::uint64_t count(const NodeRef& node) { return node ? node->count : 0; }

NodeRef make(NodeRef left, ChunkRef chunk, NodeRef right) {
  auto* const node = new (allocate(sizeof(ListNode))) ListNode;
  node->height = static_cast<std::uint16_t>(std::max(height(left), height(right)) + 1);
  node->here = static_cast<std::uint16_t>(chunk->run.count());
  node->before = count(left);
  node->count = node->before + node->here + count(right);
  node->left = std::move(left);
  node->chunk = std::move(chunk);
  node->right = std::move(right);
  return NodeRef(node);
}

Parts take_apart(NodeRef&& from) {
  const NodeRef node = std::move(from);
  if (!node.unique()) return {node->left, node->chunk, node->right};
  return {std::move(node->left), std::move(node->chunk), std::move(node->right)};
}

NodeRef rotate_right(Parts left, ChunkRef chunk, NodeRef right) {
  if (height(left.left) >= height(left.right)) {
    return make(std::move(left.left), std::move(left.chunk),
                make(std::move(left.right), std::move(chunk), std::move(right)));
  }
  Parts middle = take_apart(std::move(left.right));
  return make(make(std::move(left.left), std::move(left.chunk), std::move(middle.left)), std::move(middle.chunk),
              make(std::move(middle.right), std::move(chunk), std::move(right)));
}

NodeRef rotate_left(NodeRef left, ChunkRef chunk, Parts right) {
  if (height(right.right) >= height(right.left)) {
    return make(make(std::move(left), std::move(chunk), std::move(right.left)), std::move(right.chunk),
                std::move(right.right));
  }
  Parts middle = take_apart(std::move(right.left));
  return make(make(std::move(left), std::move(chunk), std::move(middle.left)), std::move(middle.chunk),
              make(std::move(middle.right), std::move(right.chunk), std::move(right.right)));
}

/// For heights that differ by two at most.
NodeRef balance(NodeRef left, ChunkRef chunk, NodeRef right) {
  if (height(left) > height(right) + 1) return rotate_right(take_apart(std::move(left)), std::move(chunk), right);
  if (height(right) > height(left) + 1) return rotate_left(left, std::move(chunk), take_apart(std::move(right)));
  return make(std::move(left), std::move(chunk), std::move(right));
}

/// For any heights; takes as many steps as they differ.
NodeRef join(NodeRef left, ChunkRef chunk, NodeRef right) {
  if (height(left) > height(right) + 1) {
    Parts parts = take_apart(std::move(left));
    return balance(std::move(parts.left), std::move(parts.chunk),
                   join(std::move(parts.right), std::move(chunk), std::move(right)));
  }
  if (height(right) > height(left) + 1) {
    Parts parts = take_apart(std::move(right));
    return balance(join(std::move(left), std::move(chunk), std::move(parts.left)), std::move(parts.chunk),
                   std::move(parts.right));
  }
  return make(std::move(left), std::move(chunk), std::move(right));
}

ChunkRef take_first(NodeRef& root) {
  Parts parts = take_apart(std::move(root));
  if (!parts.left) {
    root = std::move(parts.right);
    return std::move(parts.chunk);
  }
  ChunkRef first = take_first(parts.left);
  root = balance(std::move(parts.left), std::move(parts.chunk), std::move(parts.right));
  return first;
}

ChunkRef take_last(NodeRef& root) {
  Parts parts = take_apart(std::move(root));
  if (!parts.right) {
    root = std::move(parts.left);
    return std::move(parts.chunk);
  }
  ChunkRef last = take_last(parts.right);
  root = balance(std::move(parts.left), std::move(parts.chunk), std::move(parts.right));
  return last;
}

Halves split(NodeRef root, std::uint64_t index) {
  if (!root) return {};
  Parts parts = take_apart(std::move(root));
  const std::uint64_t before = count(parts.left);
  if (index < before) {
    Halves halves = split(std::move(parts.left), index);
    halves.right = join(std::move(halves.right), std::move(parts.chunk), std::move(parts.right));
    return halves;
  }
  index -= before;
  const std::uint64_t here = parts.chunk->run.count();
  if (index >= here) {
    Halves halves = split(std::move(parts.right), index - here);
    halves.left = join(std::move(parts.left), std::move(parts.chunk), std::move(halves.left));
    return halves;
  }
  if (index == 0) return {std::move(parts.left), join({}, std::move(parts.chunk), std::move(parts.right))};
  ChunkRef rest = make_chunk(writable_run(parts.chunk).split_off(index));
  return {join(std::move(parts.left), std::move(parts.chunk), {}), join({}, std::move(rest), std::move(parts.right))};
}

bool right_node(const NodeRef& node) {
  if (!node) return true;
  const PackedRun& run = node->chunk->run;
  const std::uint32_t left = height(node->left);
  const std::uint32_t right = height(node->right);
  return !run.empty() && (run.bytes().size() <= ListChunk::kBytes || run.count() == 1) && node->here == run.count() &&
         node->before == count(node->left) && node->count == count(node->left) + run.count() + count(node->right) &&
         node->height == std::max(left, right) + 1 && left <= right + 1 && right <= left + 1 &&
         right_node(node->left) && right_node(node->right);
}

}  // namespace

void ListChunk::destroy(ListChunk* chunk) {
  chunk->~ListChunk();
  deallocate(chunk);
}

ChunkRef make_chunk(PackedRun run) {
  auto* const chunk = new (allocate(sizeof(ListChunk))) ListChunk;
  chunk->run = std::move(run);
  return ChunkRef(chunk);
}

PackedRun& writable_run(ChunkRef& chunk) {
  if (!chunk.unique()) chunk = make_chunk(chunk->run.copy());
  return chunk->run;
}

void ListNode::destroy(ListNode* node) {
  if (node->left || node->right) {
    DetachedNodes::instance().add(node);
    return;
  }
  node->~ListNode();
  deallocate(node);
}

DetachedNodes& DetachedNodes::instance() {
  static DetachedNodes nodes;
  return nodes;
}

void DetachedNodes::add(ListNode* node) {
  const std::lock_guard guard(lock_);
  nodes_.push_back(node);
}

ListNode* DetachedNodes::take() {
  const std::lock_guard guard(lock_);
  if (nodes_.empty()) return nullptr;
  ListNode* const node = nodes_.back();
  nodes_.pop_back();
  return node;
}

/// A child that has children comes back through destroy(), so that a step never frees more than a node and two leaves.
std::size_t DetachedNodes::free_some(std::size_t limit) {
  std::size_t freed = 0;
  while (freed < limit) {
    ListNode* const node = take();
    if (node == nullptr) break;
    for (const NodeRef* child : {&node->left, &node->right}) {
      if (*child && child->unique() && (*child)->height == 1) ++freed;
    }
    node->left = {};
    node->right = {};
    ListNode::destroy(node);
    ++freed;
  }
  return freed;
}

std::size_t DetachedNodes::pending() const {
  const std::lock_guard guard(lock_);
  return nodes_.size();
}

void ListTree::push_first(ChunkRef chunk) { root_ = join({}, std::move(chunk), std::move(root_)); }
void ListTree::push_last(ChunkRef chunk) { root_ = join(std::move(root_), std::move(chunk), {}); }
ChunkRef ListTree::pop_first() { return take_first(root_); }
ChunkRef ListTree::pop_last() { return take_last(root_); }

ListTree::Place ListTree::find(std::size_t index) const {
  const NodeRef* at = &root_;
  while (true) {
    const ListNode& node = **at;
    if (index < node.before) {
      at = &node.left;
      continue;
    }
    index -= node.before;
    if (index < node.here) return {&node.chunk->run, index};
    index -= node.here;
    at = &node.right;
  }
}

PackedRun& ListTree::writable(std::size_t& index, int added) {
  const auto more = static_cast<std::uint64_t>(added);
  NodeRef* at = &root_;
  while (true) {
    if (!at->unique()) *at = make((*at)->left, (*at)->chunk, (*at)->right);
    ListNode& node = **at;
    node.count += more;
    if (index < node.before) {
      node.before += more;
      at = &node.left;
      continue;
    }
    index -= node.before;
    if (index < node.here) {
      node.here = static_cast<std::uint16_t>(node.here + added);
      return writable_run(node.chunk);
    }
    index -= node.here;
    at = &node.right;
  }
}

ListTree ListTree::split_off(std::size_t index) {
  Halves halves = split(std::move(root_), index);
  root_ = std::move(halves.left);
  ListTree rest;
  rest.root_ = std::move(halves.right);
  return rest;
}

void ListTree::append(ListTree other) {
  if (other.empty()) return;
  if (empty()) {
    std::swap(root_, other.root_);
    return;
  }
  ChunkRef last = pop_last();
  ChunkRef first = other.pop_first();
  if (last->run.bytes().size() + first->run.bytes().size() <= ListChunk::kBytes) {
    writable_run(last).append(first->run.view());
  } else {
    other.push_first(std::move(first));
  }
  root_ = join(std::move(root_), std::move(last), std::move(other.root_));
}

bool ListTree::consistent() const { return right_node(root_); }

}  // namespace magpie::engine
