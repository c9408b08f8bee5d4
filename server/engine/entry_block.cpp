#include "server/engine/entry_block.h"

#include <new>

#include "server/engine/memory.h"

namespace magpie::engine {
namespace {

std::atomic<std::int64_t> reply_bytes{0};

}  // namespace

Entry* EntryBlock::make(const EntryContent& content) {
  char* const block = static_cast<char*>(allocate(kHead + Entry::size_of(content)));
  new (block) Holders(1);
  Entry* const entry = Entry::write(block + kHead, content);
  entry->set_in_own_block();
  return entry;
}

std::size_t EntryBlock::memory(const Entry& entry) { return usable_size(block_of(entry)); }

void EntryBlock::drop(Entry* entry) {
  Holders& count = holders(*entry);
  // Nobody can join while the table lets go: if it is alone, it stays so.
  if (count.load(std::memory_order_acquire) == 1) {
    deallocate(block_of(*entry));
    return;
  }
  const auto bytes = static_cast<std::int64_t>(memory(*entry));
  account(-bytes);
  reply_bytes.fetch_add(bytes, std::memory_order_relaxed);
  drop_reference(block_of(*entry));
}

SharedBytes EntryBlock::refer(const Entry& entry, ByteView part) {
  holders(entry).fetch_add(1, std::memory_order_relaxed);
  return {part, block_of(entry), drop_reference};
}

void EntryBlock::drop_reference(const void* block) {
  auto* const start = static_cast<char*>(const_cast<void*>(block));
  if (reinterpret_cast<Holders*>(start)->fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  // The last one: the table had gone before, and the block does not count any more.
  reply_bytes.fetch_sub(static_cast<std::int64_t>(usable_size(start)), std::memory_order_relaxed);
  deallocate_uncounted(start);
}

std::size_t EntryBlock::memory_of_replies() {
  const std::int64_t bytes = reply_bytes.load(std::memory_order_relaxed);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

}  // namespace magpie::engine
