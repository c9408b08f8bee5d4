#include "server/engine/page_pool.h"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <vector>

using magpie::engine::PagePool;

namespace {
constexpr std::size_t kPagesOfExtent = PagePool::kExtent / PagePool::kPage;

/// Whether the kernel has noted this wish for the memory at the address: "hg" for huge pages, "nh" for none.
bool has_wish(const void* address, const std::string& wish) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::size_t digits = 0;
    const std::size_t dash = line.find('-');
    if (dash != std::string::npos && dash < line.find(' ')) {
      const std::uintptr_t start = std::stoull(line, &digits, 16);
      inside = digits == dash && start <= wanted && wanted < std::stoull(line.substr(dash + 1), nullptr, 16);
    } else if (inside && line.starts_with("VmFlags:")) {
      return (line + ' ').find(' ' + wish + ' ') != std::string::npos;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("pages are aligned, distinct, and writable to the last byte") {
  PagePool pool;
  std::set<void*> pages;
  for (std::size_t i = 0; i < 3 * kPagesOfExtent; ++i) {
    void* const page = pool.take();
    CHECK(reinterpret_cast<std::uintptr_t>(page) % PagePool::kPage == 0);
    std::memset(page, 1, PagePool::kPage);
    CHECK(pages.insert(page).second);
  }
  CHECK(pool.usage().taken == 3 * kPagesOfExtent);
  CHECK(pool.usage().extents == 3);
  CHECK(pool.usage().resident == 0);
}

TEST_CASE("whoever is to know learns once that few pages are left") {
  PagePool pool;
  int told = 0;
  pool.call_when_low(5, [&] { ++told; });
  std::vector<void*> pages;
  while (pages.size() < kPagesOfExtent - 5) pages.push_back(pool.take());
  CHECK(told == 0);
  for (int i = 0; i < 3; ++i) pages.push_back(pool.take());
  CHECK(told == 1);
  CHECK_FALSE(pool.touch_ahead(1));
  pages.push_back(pool.take());
  CHECK(told == 2);
  CHECK(pool.touch_ahead(5));
  pages.push_back(pool.take());
  CHECK(told == 2);
  pool.call_when_low(0, {});
  while (pool.usage().resident > 0) pages.push_back(pool.take());
  CHECK(told == 2);
}

TEST_CASE("free pages are taken again before new memory is, the oldest extent first") {
  PagePool pool;
  std::vector<void*> pages;
  pages.reserve(2 * kPagesOfExtent);
  for (std::size_t i = 0; i < 2 * kPagesOfExtent; ++i) pages.push_back(pool.take());
  pool.give(pages.back());
  pool.give(pages.front());
  CHECK(pool.take() == pages.front());
  CHECK(pool.take() == pages.back());
  CHECK(pool.usage().extents == 2);
}

TEST_CASE("trim hands back what is above the reserve, whole extents too, and what is in use stays") {
  PagePool pool;
  std::vector<char*> pages;
  pages.reserve(4 * kPagesOfExtent);
  for (std::size_t i = 0; i < 4 * kPagesOfExtent; ++i) pages.push_back(static_cast<char*>(pool.take()));
  for (std::size_t i = 0; i < pages.size(); ++i) *pages[i] = static_cast<char>(i % 100);
  for (std::size_t i = 2 * kPagesOfExtent; i < pages.size(); ++i) pool.give(pages[i]);
  for (std::size_t i = 0; i < 2 * kPagesOfExtent; i += 2) pool.give(pages[i]);
  std::size_t most = 0;
  while (const std::size_t handed_back = pool.trim(50, 100)) most = std::max(most, handed_back);
  CHECK(most <= kPagesOfExtent);
  CHECK(pool.usage().resident == 50);
  CHECK(pool.usage().taken == kPagesOfExtent);
  CHECK(pool.usage().extents == 2);
  for (std::size_t i = 1; i < 2 * kPagesOfExtent; i += 2) CHECK(*pages[i] == static_cast<char>(i % 100));
  for (std::size_t i = 0; i < kPagesOfExtent; ++i) std::memset(pool.take(), 2, PagePool::kPage);
  CHECK(pool.usage().extents == 2);
}

TEST_CASE("the kernel makes no huge page of an extent of which a part was handed back") {
  PagePool pool;
  std::vector<void*> pages;
  pages.reserve(kPagesOfExtent);
  for (std::size_t i = 0; i < kPagesOfExtent; ++i) pages.push_back(pool.take());
  void* const kept = pages.front();
  if (!has_wish(kept, "hg")) return;  // no huge pages in this kernel
  for (std::size_t i = 1; i < pages.size(); ++i) pool.give(pages[i]);
  pool.trim(kPagesOfExtent - 11, 10);
  CHECK(has_wish(kept, "nh"));
  while (pool.trim(0, 100) > 0) {
  }
  for (std::size_t i = 1; i + 1 < pages.size(); ++i) pool.take();
  CHECK(has_wish(kept, "nh"));
  pool.take();
  CHECK(has_wish(kept, "hg"));
  CHECK(pool.usage().extents == 1);
}

TEST_CASE("an extent that was emptied asks for a huge page again when it is used again") {
  PagePool pool;
  void* const page = pool.take();
  pool.trim(100, 10);
  pool.give(page);
  while (pool.trim(0, 1000) > 0) {
  }
  CHECK(pool.usage().extents == 0);
  void* const again = pool.take();
  CHECK_FALSE(has_wish(again, "nh"));
}

TEST_CASE("touching ahead adds one extent at a time, and none when enough is there") {
  PagePool pool;
  pool.touch_ahead(1);
  CHECK(pool.usage().extents == 1);
  CHECK(pool.usage().resident == kPagesOfExtent);
  pool.touch_ahead(kPagesOfExtent);
  CHECK(pool.usage().extents == 1);
  pool.touch_ahead(kPagesOfExtent + 1);
  CHECK(pool.usage().extents == 2);
}
