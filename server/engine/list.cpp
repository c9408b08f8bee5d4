#include "server/engine/list.h"

#include <utility>

namespace magpie::engine {
namespace {

/// Whether so many bytes more go into the run without making it too large, nor moving all of it each time.
bool fits(const PackedRun& run, std::size_t bytes, std::size_t room) {
  return run.bytes().size() + bytes <= ListChunk::kBytes && (room >= bytes || run.capacity() < ListChunk::kBytes);
}

}  // namespace

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
  const ListTree::Place place = find(index);
  return place.run->at(place.index);
}

void List::set(std::size_t index, ByteView element) {
  const StringValue value = StringValue::compact(element);
  const ListTree::Place place = find(index);
  const std::size_t rest = place.run->bytes().size() - PackedRun::encoded_size(place.run->at(place.index));
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
  if (find(index).run->bytes().size() + added <= ListChunk::kBytes) {
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
    const ListTree::Place place = find(first);
    const std::size_t removed = PackedRun::encoded_size(place.run->at(place.index));
    if (place.run->bytes().size() >= removed + ListChunk::kBytes / 2) {
      PackedRun& run = writable(first, -1);
      run.erase(first, 1);
      return;
    }
  }
  fold();
  ListTree middle = tree_.split_off(first);
  tree_.append(middle.split_off(count));
}

ListTree::Place List::find(std::size_t index) const {
  if (index < count(head_)) return {&head_->run, index};
  index -= count(head_);
  if (index < tree_.size()) return tree_.find(index);
  return {&tail_->run, index - tree_.size()};
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

void List::Cursor::seek(std::size_t index) {
  index_ = index;
  run_ = nullptr;
  if (index >= list_->size()) return;
  const ListTree::Place place = list_->find(index);
  run_ = place.run;
  offset_ = run_->offset_of(place.index);
}

void List::Cursor::next() {
  ++index_;
  offset_ = run_->next(offset_);
  if (offset_ == run_->bytes().size()) seek(index_);
}

void List::Cursor::previous() {
  if (offset_ == 0) return seek(index_ - 1);  // before the first, that is beyond any size
  --index_;
  offset_ = run_->previous(offset_);
}

}  // namespace magpie::engine
