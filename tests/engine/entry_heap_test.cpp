#include "server/engine/entry_heap.h"

#include <doctest/doctest.h>

#include <string>

#include "server/engine/memory.h"

using magpie::engine::Arena;
using magpie::engine::Entry;
using magpie::engine::EntryHeap;
using magpie::engine::Handle;
using magpie::engine::StringValue;
using magpie::engine::used_memory;

TEST_CASE("memory of entries, small and large, is counted and given back") {
  const std::int64_t before = used_memory();
  {
    EntryHeap heap;
    heap.make({"first", StringValue::plain("the list of pages is there")});
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{10}, std::size_t{498}, std::size_t{499}, std::size_t{100'000}}) {
      heap.free(heap.make({"k", StringValue::plain(std::string(size, 'x'))}));
      const std::int64_t without = used_memory();
      const Handle handle = heap.make({"k", StringValue::plain(std::string(size, 'x'))});
      const Entry& entry = *heap.at(handle);
      CHECK(entry.string().bytes.size() == size);
      CHECK(entry.in_own_block() == (entry.size() > Arena::kLargest));
      CHECK(EntryHeap::memory(entry) >= entry.size());
      CHECK(used_memory() - without == static_cast<std::int64_t>(EntryHeap::memory(entry)));
      if (size != 10) heap.free(handle);
    }
  }
  CHECK(used_memory() == before);
}

TEST_CASE("an entry moves with its content, its block stays where it is") {
  EntryHeap heap;
  const std::string large(1000, 'l');
  const Handle small = heap.make({"small", StringValue::plain("text")});
  const Handle block = heap.make({"large", StringValue::plain(large)});
  const Entry* const before = heap.at(block);
  const Handle moved_small = heap.move(small);
  const Handle moved_block = heap.move(block);
  CHECK(moved_small != small);
  CHECK(heap.at(moved_small)->key() == "small");
  CHECK(heap.at(moved_small)->string().bytes == "text");
  CHECK(heap.at(moved_block) == before);
  CHECK(heap.at(moved_block)->string().bytes == large);
}
