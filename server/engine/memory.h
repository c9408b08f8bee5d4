#pragma once

#include <cstddef>
#include <cstdint>

namespace magpie::engine {

/// Memory of the data: entries, tables, expiry state. What is taken here counts against maxmemory; connection buffers
/// do not pass here. Any thread may free what another took.
void* allocate(std::size_t bytes);
/// The same at a multiple of `alignment`, a power of two; `bytes` must be a multiple of it too.
void* allocate_aligned(std::size_t bytes, std::size_t alignment);
/// A large one is freed in pieces, by LargeBlocks, and counts until then.
void deallocate(void* block);
/// The same for a block that was taken out of the count before.
void deallocate_uncounted(void* block);
/// At once; of its bytes, `counted` were still counted. For LargeBlocks.
void release(void* block, std::size_t counted);
/// Counts memory of the data that did not come from allocate(); negative to take it back.
void account(std::int64_t bytes);
/// Bytes the allocator really set aside for the block.
std::size_t usable_size(const void* block);
/// Bytes taken from allocate() and not given back, rounding included, over all threads. Exact when nobody allocates.
std::int64_t used_memory();
/// Highest used_memory() seen by note_peak().
std::int64_t peak_memory();
void note_peak();
/// The allocator and its version, "mimalloc-2.0.9". Static text.
const char* allocator_name();
/// Hands cached free pages back to the system (MEMORY PURGE).
void purge_memory();

/// For std:: containers that hold part of the data.
template <class T>
struct Allocator {
  using value_type = T;
  Allocator() = default;
  template <class U>
  Allocator(const Allocator<U>&) {}  // NOLINT(google-explicit-constructor): required of allocators
  T* allocate(std::size_t count) {
    constexpr std::size_t kSize = sizeof(T);  // NOLINT(bugprone-sizeof-expression): T may be a pointer
    return static_cast<T*>(engine::allocate(count * kSize));
  }
  void deallocate(T* block, std::size_t) { engine::deallocate(static_cast<void*>(block)); }
  friend bool operator==(const Allocator&, const Allocator&) { return true; }
};

}  // namespace magpie::engine
