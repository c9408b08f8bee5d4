#include "server/engine/memory.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "server/engine/large_blocks.h"
#include "server/engine/page_pool.h"

#ifdef MAGPIE_SANITIZED
#include <malloc.h>  // the sanitizers watch malloc, not mimalloc
#else
#include <mimalloc.h>
#endif

namespace magpie::engine {
namespace {

// One counter per thread, each on a line of its own, so that counting costs no shared line and no locked instruction. A
// block freed by another thread makes one counter negative; only the sum means something. Threads beyond the array
// share the last one.
constexpr std::size_t kCounters = 128;
struct alignas(64) Counter {
  std::atomic<std::int64_t> bytes{0};
};
std::array<Counter, kCounters> counters;
std::atomic<std::size_t> next_counter{0};
std::atomic<std::int64_t> peak{0};

void count(std::int64_t bytes) {
  thread_local const std::size_t mine = std::min(next_counter.fetch_add(1, std::memory_order_relaxed), kCounters - 1);
  std::atomic<std::int64_t>& counter = counters[mine].bytes;
  if (mine < kCounters - 1) {
    counter.store(counter.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  } else {
    counter.fetch_add(bytes, std::memory_order_relaxed);
  }
}

}  // namespace

#ifdef MAGPIE_SANITIZED
std::size_t usable_size(const void* block) { return malloc_usable_size(const_cast<void*>(block)); }
static void* take(std::size_t bytes) { return std::malloc(bytes); }
static void* take(std::size_t bytes, std::size_t alignment) { return std::aligned_alloc(alignment, bytes); }
static void give(void* block) { std::free(block); }
static void purge_allocator() {}
const char* allocator_name() { return "libc"; }
#else
std::size_t usable_size(const void* block) { return mi_usable_size(block); }
static void* take(std::size_t bytes) { return mi_malloc(bytes); }
static void* take(std::size_t bytes, std::size_t alignment) { return mi_malloc_aligned(bytes, alignment); }
static void give(void* block) { mi_free(block); }
static void purge_allocator() { mi_collect(true); }
/// What is freed goes back to the system at once. Else mimalloc would do so later, when it is called again, and a node
/// at rest keep what it does not need. The variable MIMALLOC_DECOMMIT_DELAY still has the last word.
[[maybe_unused]] static const bool gives_back_at_once = [] {
  mi_option_set_default(mi_option_decommit_delay, 0);
  return true;
}();
const char* allocator_name() {
  static const std::string name = [] {
    const int version = mi_version();  // 209: 2.0.9
    return "mimalloc-" + std::to_string(version / 100) + "." + std::to_string(version / 10 % 10) + "." +
           std::to_string(version % 10);
  }();
  return name.c_str();
}
#endif

static void* counted(void* block) {
  if (block == nullptr) std::abort();
  count(static_cast<std::int64_t>(usable_size(block)));
  return block;
}

void purge_memory() {
  while (LargeBlocks::instance().free_piece()) {
  }
  purge_allocator();
  PagePool::instance().trim(0, SIZE_MAX);
}

void account(std::int64_t bytes) { count(bytes); }

void* allocate(std::size_t bytes) { return counted(take(bytes)); }
void* allocate_aligned(std::size_t bytes, std::size_t alignment) { return counted(take(bytes, alignment)); }

void deallocate(void* block) {
  if (block == nullptr) return;
  const std::size_t bytes = usable_size(block);
  if (bytes >= LargeBlocks::kLarge) [[unlikely]] {
    LargeBlocks::instance().add(block, bytes);
  } else {
    release(block, bytes);
  }
}

void deallocate_uncounted(void* block) {
  const std::size_t bytes = usable_size(block);
  if (bytes >= LargeBlocks::kLarge) {
    LargeBlocks::instance().add(block, bytes, LargeBlocks::Counted::No);
  } else {
    release(block, 0);
  }
}

void release(void* block, std::size_t counted) {
  count(-static_cast<std::int64_t>(counted));
  give(block);
}

std::int64_t used_memory() {
  std::int64_t sum = 0;
  const std::size_t used = std::min(next_counter.load(std::memory_order_relaxed), kCounters);
  for (std::size_t i = 0; i < used; ++i) sum += counters[i].bytes.load(std::memory_order_relaxed);
  return sum;
}

std::int64_t peak_memory() { return peak.load(std::memory_order_relaxed); }

void note_peak() {
  const std::int64_t now = used_memory();
  std::int64_t seen = peak.load(std::memory_order_relaxed);
  while (now > seen && !peak.compare_exchange_weak(seen, now, std::memory_order_relaxed)) {
  }
}

}  // namespace magpie::engine
