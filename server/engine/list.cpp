#include "server/engine/list.h"

#include <new>
#include <utility>

#include "server/engine/memory.h"

namespace magpie::engine {
namespace {

/// Whether so many bytes more go into the run without making it too large, nor moving all of it each time.
bool fits(const PackedRun& run, std::size_t bytes, std::size_t room) {
  return run.bytes().size() + bytes <= ListChunk::kBytes && (room >= bytes || run.capacity() < ListChunk::kBytes);
}

}  // namespace

List::List(PackedRun run) {
  if (!run.empty()) tail_ = make_chunk(std::move(run));
}

void List::push_front(ByteView element) {
  const StringValue value = StringValue::compact(element);
  if (head_ && !fits(head_->run, PackedRun::encoded_size(value), head_->run.front_room())) {
    tree_.push_first(std::exchange(head_, {}));
  }
  if (!head_) head_ = make_chunk();
  writable_run(head_).push_front(value);
}

void List::push_back(ByteView element) {
  const StringValue value = StringValue::compact(element);
  if (tail_ && !fits(tail_->run, PackedRun::encoded_size(value), tail_->run.back_room())) {
    tree_.push_last(std::exchange(tail_, {}));
  }
  if (!tail_) tail_ = make_chunk();
  writable_run(tail_).push_back(value);
}

void List::pop_front() {
  if (!head_ && !tree_.empty()) head_ = tree_.pop_first();
  ChunkRef& chunk = head_ ? head_ : tail_;
  if (chunk->run.count() == 1) {
    chunk = {};
  } else {
    writable_run(chunk).pop_front();
  }
}

void List::pop_back() {
  if (!tail_ && !tree_.empty()) tail_ = tree_.pop_last();
  ChunkRef& chunk = tail_ ? tail_ : head_;
  if (chunk->run.count() == 1) {
    chunk = {};
  } else {
    writable_run(chunk).pop_back();
  }
}

StringValue List::at(std::size_t index) const {
  const Place place = find(index);
  return place.run.at(place.index);
}

void List::set(std::size_t index, ByteView element) {
  const StringValue value = StringValue::compact(element);
  const Place place = find(index);
  const std::size_t rest = place.run.bytes().size() - PackedRun::encoded_size(place.run.at(place.index));
  if (rest > 0 && rest + PackedRun::encoded_size(value) > ListChunk::kBytes) {
    erase(index, 1);
    insert(index, element);
    return;
  }
  PackedRun& run = writable(index, 0);
  run.replace(index, value);
}

void List::insert(std::size_t index, ByteView element) {
  if (index == 0) return push_front(element);
  if (index == size()) return push_back(element);
  const StringValue value = StringValue::compact(element);
  const std::size_t added = PackedRun::encoded_size(value);
  if (find(index).run.bytes().size() + added <= ListChunk::kBytes) {
    PackedRun& run = writable(index, 1);
    run.insert(index, value);
    return;
  }
  fold();
  ListTree rest = tree_.split_off(index);
  ChunkRef last = tree_.pop_last();
  if (last->run.bytes().size() + added > ListChunk::kBytes) tree_.push_last(std::exchange(last, make_chunk()));
  writable_run(last).push_back(value);
  tree_.push_last(std::move(last));
  tree_.append(std::move(rest));
}

/// A chunk that stays half full changes in place; otherwise the chunks around the gap become one if they fit.
void List::erase(std::size_t first, std::size_t count) {
  if (count == 0) return;
  if (count == 1) {
    if (first == 0) return pop_front();
    if (first + 1 == size()) return pop_back();
    const Place place = find(first);
    const std::size_t removed = PackedRun::encoded_size(place.run.at(place.index));
    if (place.run.bytes().size() >= removed + ListChunk::kBytes / 2) {
      PackedRun& run = writable(first, -1);
      run.erase(first, 1);
      return;
    }
  }
  fold();
  ListTree middle = tree_.split_off(first);
  tree_.append(middle.split_off(count));
}

List::Place List::find(std::size_t index) const {
  if (index < count(head_)) return {head_->run.view(), index};
  index -= count(head_);
  if (index >= tree_.size()) return {tail_->run.view(), index - tree_.size()};
  const ListTree::Place place = tree_.find(index);
  return {place.run->view(), place.index};
}

std::optional<PackedView> List::single_run() const {
  if (!tree_.empty() || (head_ && tail_)) return std::nullopt;
  return head_ ? head_->run.view() : tail_->run.view();
}

std::size_t List::memory() const {
  const auto of = [](const PackedRun& run) { return sizeof(ListChunk) + run.capacity(); };
  std::size_t sum = sizeof(List) + (head_ ? of(head_->run) : 0) + (tail_ ? of(tail_->run) : 0);
  if (tree_.empty()) return sum;
  constexpr std::size_t kPlaces = 64;
  double of_elements = 0;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    const PackedRun& run = *tree_.find(tree_.size() * (2 * i + 1) / (2 * kPlaces)).run;
    of_elements += static_cast<double>(sizeof(ListNode) + of(run)) / static_cast<double>(run.count());
  }
  return sum + static_cast<std::size_t>(of_elements / kPlaces * static_cast<double>(tree_.size()));
}

PackedRun& List::writable(std::size_t& index, int added) {
  if (index < count(head_)) return writable_run(head_);
  index -= count(head_);
  if (index < tree_.size()) return tree_.writable(index, added);
  index -= tree_.size();
  return writable_run(tail_);
}

/// Moves the first and the last chunk into the tree.
void List::fold() {
  ListTree whole;
  if (head_) whole.push_first(std::exchange(head_, {}));
  whole.append(std::exchange(tree_, {}));
  ListTree end;
  if (tail_) end.push_first(std::exchange(tail_, {}));
  whole.append(std::move(end));
  tree_ = std::move(whole);
}

List* copy_list(const List& from) { return new (allocate(sizeof(List))) List(from); }

void destroy_list(List* list) {
  list->~List();
  deallocate(list);
}

}  // namespace magpie::engine
