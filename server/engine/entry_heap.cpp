#include "server/engine/entry_heap.h"

#include "server/engine/entry_block.h"

namespace magpie::engine {

EntryHeap::~EntryHeap() {
  while (free_some(SIZE_MAX) > 0) {
  }
}

Handle EntryHeap::make(const EntryContent& content) {
  if (content.value.form != ValueForm::Object) return put(content);
  EntryContent owned = content;
  owned.value.list = copy_list(*content.value.list);
  return put(owned);
}

Handle EntryHeap::put(const EntryContent& content) {
  const std::size_t size = Entry::size_of(content);
  const std::uint32_t marks = content.expiry ? kHasExpiry : 0;
  if (size <= Arena::kLargest) {
    const Handle handle = arena_.take(size);
    Entry::write(arena_.at(handle), content);
    return Handle{static_cast<std::uint32_t>(handle) | marks};
  }
  Entry* const block = EntryBlock::make(content);
  block_bytes_ += EntryBlock::memory(*block);
  const Handle handle = arena_.take(kAddressCell);
  char* const cell = arena_.at(handle);
  *reinterpret_cast<unsigned char*>(cell) = Entry::kNoEntry;
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  std::memcpy(cell + kAddressAt, &address, sizeof address);
  return Handle{static_cast<std::uint32_t>(handle) | marks};
}

void EntryHeap::release(char* cell) {
  if (static_cast<unsigned char>(*cell) != Entry::kNoEntry) {
    auto* const entry = reinterpret_cast<Entry*>(cell);
    if (entry->has_object()) entry->release_object();
    return;
  }
  Entry* const block = block_in(cell);
  if (block->has_object()) block->release_object();
  block_bytes_ -= EntryBlock::memory(*block);
  EntryBlock::drop(block);
}

void EntryHeap::free(Handle handle) {
  const Handle cell = cell_of(handle);
  release(arena_.at(cell));
  arena_.give(cell);
}

Handle EntryHeap::move(Handle from) {
  const Handle cell = cell_of(from);
  const std::size_t size = arena_.size_of(cell);
  const Handle to = arena_.take(size);
  std::memcpy(arena_.at(to), arena_.at(cell), size);
  arena_.give(cell);
  return Handle{static_cast<std::uint32_t>(to) | (static_cast<std::uint32_t>(from) & kHasExpiry)};
}

std::size_t EntryHeap::memory(const Entry& entry) {
  return entry.in_own_block() ? EntryBlock::memory(entry) + Arena::rounded(kAddressCell) : Arena::rounded(entry.size());
}

std::size_t EntryHeap::capacity(const Entry& entry) {
  return entry.in_own_block() ? EntryBlock::capacity(entry) : Arena::rounded(entry.size());
}

std::size_t EntryHeap::free_some(std::size_t limit) {
  return arena_.drop_pages(limit, [this](char* cell) { release(cell); });
}

}  // namespace magpie::engine
