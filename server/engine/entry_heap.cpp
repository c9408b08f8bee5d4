#include "server/engine/entry_heap.h"

#include "server/engine/memory.h"

namespace magpie::engine {

EntryHeap::~EntryHeap() {
  while (free_some(SIZE_MAX) > 0) {
  }
}

Handle EntryHeap::make(const EntryContent& content) {
  const std::size_t size = Entry::size_of(content);
  if (size <= Arena::kLargest) {
    const Handle handle = arena_.take(size);
    Entry::write(arena_.at(handle), content);
    return handle;
  }
  Entry* const block = Entry::write(allocate(size), content);
  block->set_in_own_block();
  const Handle handle = arena_.take(kAddressCell);
  char* const cell = arena_.at(handle);
  *reinterpret_cast<unsigned char*>(cell) = Entry::kNoEntry;
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  std::memcpy(cell + kAddressAt, &address, sizeof address);
  return handle;
}

void EntryHeap::free(Handle handle) {
  const char* const cell = arena_.at(handle);
  if (static_cast<unsigned char>(*cell) == Entry::kNoEntry) deallocate(block_in(cell));
  arena_.give(handle);
}

Handle EntryHeap::move(Handle from) {
  const std::size_t size = arena_.size_of(from);
  const Handle to = arena_.take(size);
  std::memcpy(arena_.at(to), arena_.at(from), size);
  arena_.give(from);
  return to;
}

std::size_t EntryHeap::memory(const Entry& entry) {
  return entry.in_own_block() ? usable_size(&entry) + Arena::rounded(kAddressCell) : Arena::rounded(entry.size());
}

std::size_t EntryHeap::capacity(const Entry& entry) {
  return entry.in_own_block() ? usable_size(&entry) : Arena::rounded(entry.size());
}

std::size_t EntryHeap::free_some(std::size_t limit) {
  return arena_.drop_pages(limit, [](const char* cell) {
    if (static_cast<unsigned char>(*cell) == Entry::kNoEntry) deallocate(block_in(cell));
  });
}

}  // namespace magpie::engine
