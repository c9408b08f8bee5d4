#include "server/engine/page_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>
#include <utility>

namespace magpie::engine {
namespace {

constexpr unsigned kWordBits = 64;

/// 2 MB at a multiple of 2 MB, mapped but not touched.
void* map_extent(std::size_t size) {
  void* mapped = mmap(nullptr, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) std::abort();
  auto* const start = static_cast<char*>(mapped);
  const std::size_t lead = (size - reinterpret_cast<std::uintptr_t>(start) % size) % size;
  if (lead > 0) munmap(start, lead);
  munmap(start + lead + size, size - lead);
  return start + lead;
}

/// Without huge pages it works as well, only slower. An extent of which a part was handed back must not be one: the
/// kernel makes whole huge pages of such ones again in time, and so takes back what it was given.
void ask_for_huge_page(void* extent, bool on) {
  madvise(extent, PagePool::kExtent, on ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

/// Makes the pages real. Where the kernel cannot do it in one call (before Linux 5.14), page by page.
void touch(void* memory, std::size_t size) {
  if (madvise(memory, size, MADV_POPULATE_WRITE) == 0) return;
  for (std::size_t at = 0; at < size; at += PagePool::kSystemPage) static_cast<volatile char*>(memory)[at] = 0;
}

/// The first bit that is set; there must be one.
template <class Bits>
std::size_t first_of(const Bits& bits) {
  std::size_t word = 0;
  while (bits[word] == 0) ++word;
  return word * kWordBits + static_cast<std::size_t>(std::countr_zero(bits[word]));
}

template <class Bits>
bool test(const Bits& bits, std::size_t number) {
  return (bits[number / kWordBits] >> (number % kWordBits) & 1) != 0;
}

template <class Bits>
void assign(Bits& bits, std::size_t number, bool on) {
  const std::uint64_t bit = std::uint64_t{1} << (number % kWordBits);
  std::uint64_t& word = bits[number / kWordBits];
  word = on ? word | bit : word & ~bit;
}

template <class Bits>
std::size_t count(const Bits& bits) {
  std::size_t sum = 0;
  for (const std::uint64_t word : bits) sum += static_cast<std::size_t>(std::popcount(word));
  return sum;
}

template <class Bits>
Bits both(const Bits& a, const Bits& b) {
  Bits result;
  std::ranges::transform(a, b, result.begin(), std::bit_and<>());
  return result;
}

}  // namespace

PagePool& PagePool::instance() {
  static PagePool* const pool = new PagePool;  // pages may be given back until the very end of the process
  return *pool;
}

PagePool::~PagePool() {
  for (const Extent* extent : extents_) munmap(extent->memory, kExtent);
  for (void* extent : spare_extents_) munmap(extent, kExtent);
}

void* PagePool::pop_spare() {
  if (spare_extents_.empty()) return nullptr;
  void* const spare = spare_extents_.back();
  spare_extents_.pop_back();
  return spare;
}

std::unique_ptr<PagePool::Extent> PagePool::make_extent(void* spare) {
  void* const memory = spare != nullptr ? spare : map_extent(kExtent);
  ask_for_huge_page(memory, true);
  touch(memory, kExtent);
  auto extent = std::make_unique<Extent>();
  extent->memory = static_cast<char*>(memory);
  for (std::size_t number = 0; number < kPages; ++number) assign(extent->free, number, true);
  extent->resident = extent->free;
  extent->free_count = kPages;
  return extent;
}

PagePool::Extent& PagePool::add(std::unique_ptr<Extent> extent) {
  Extent& added = *extent;
  added.index = extents_.size();
  extents_.push_back(&added);
  extent_at_[added.memory] = std::move(extent);
  resident_ += kPages;
  return added;
}

void PagePool::empty_extent(const Extent& extent) {
  char* const memory = extent.memory;
  resident_ -= count(extent.resident);
  extents_.erase(extents_.begin() + static_cast<std::ptrdiff_t>(extent.index));
  for (std::size_t i = extent.index; i < extents_.size(); ++i) extents_[i]->index = i;
  madvise(memory, kExtent, MADV_DONTNEED);  // not unmapped: who fetches ahead without a lock may still look there
  spare_extents_.push_back(memory);
  extent_at_.erase(memory);
}

PagePool::Extent& PagePool::with_free_page() {
  while (first_with_free_ < extents_.size() && extents_[first_with_free_]->free_count == 0) ++first_with_free_;
  return first_with_free_ < extents_.size() ? *extents_[first_with_free_] : add(make_extent(pop_spare()));
}

void* PagePool::take() {
  const std::lock_guard guard(lock_);
  Extent& extent = with_free_page();
  const Bits warm = both(extent.free, extent.resident);
  const bool any_warm = std::ranges::any_of(warm, [](std::uint64_t word) { return word != 0; });
  const std::size_t number = first_of(any_warm ? warm : extent.free);
  assign(extent.free, number, false);
  if (any_warm) {
    --resident_;
  } else {
    make_resident(extent, number);
  }
  --extent.free_count;
  ++taken_;
  if (resident_ < low_ && !std::exchange(low_was_told_, true)) call_when_low_();
  return extent.page(number);
}

void PagePool::give(void* page) {
  const std::lock_guard guard(lock_);
  const std::size_t offset = reinterpret_cast<std::uintptr_t>(page) % kExtent;
  Extent& extent = *extent_at_.find(static_cast<char*>(page) - offset)->second;
  assign(extent.free, offset / kPage, true);
  ++extent.free_count;
  ++resident_;
  --taken_;
  first_with_free_ = std::min(first_with_free_, extent.index);
}

void PagePool::call_when_low(std::size_t pages, std::function<void()> call) {
  const std::lock_guard guard(lock_);
  low_ = call ? pages : 0;
  call_when_low_ = std::move(call);
}

bool PagePool::touch_ahead(std::size_t pages) {
  void* spare = nullptr;
  {
    const std::lock_guard guard(lock_);
    low_was_told_ = false;
    if (resident_ >= pages) return false;
    spare = pop_spare();
  }
  std::unique_ptr<Extent> extent = make_extent(spare);  // takes its time, and holds nobody up
  const std::lock_guard guard(lock_);
  add(std::move(extent));
  return true;
}

std::size_t PagePool::trim(std::size_t keep, std::size_t most) {
  const std::lock_guard guard(lock_);
  std::size_t handed_back = 0;
  for (std::size_t i = extents_.size(); i-- > 0 && resident_ > keep && handed_back < most;) {
    Extent* const extent = extents_[i];
    if (extent->free_count == kPages && resident_ >= keep + count(extent->resident)) {
      handed_back += count(extent->resident);
      empty_extent(*extent);
    } else {
      handed_back += hand_back(*extent, std::min(most - handed_back, resident_ - keep));
    }
  }
  return handed_back;
}

void PagePool::make_resident(Extent& extent, std::size_t number) {
  assign(extent.resident, number, true);
  if (--extent.handed_back == 0) ask_for_huge_page(extent.memory, true);
}

/// Neighbours together: each call into the kernel costs about 1 us and a page in it little.
std::size_t PagePool::hand_back(Extent& extent, std::size_t most) {
  const Bits idle = both(extent.free, extent.resident);
  std::size_t handed_back = 0;
  for (std::size_t start = 0; start < kPages && handed_back < most; ++start) {
    std::size_t end = start;
    while (end < kPages && handed_back + (end - start) < most && test(idle, end)) ++end;
    if (end == start) continue;
    if (extent.handed_back == 0) ask_for_huge_page(extent.memory, false);
    madvise(extent.page(start), (end - start) * kPage, MADV_DONTNEED);
    for (std::size_t number = start; number < end; ++number) assign(extent.resident, number, false);
    handed_back += end - start;
    extent.handed_back += end - start;
    start = end;
  }
  resident_ -= handed_back;
  return handed_back;
}

PagePool::Usage PagePool::usage() const {
  const std::lock_guard guard(lock_);
  return {taken_, resident_, extents_.size()};
}

}  // namespace magpie::engine
