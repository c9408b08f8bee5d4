#include "server/engine/page_pool.h"

#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <vector>

using magpie::engine::PagePool;

namespace {
constexpr std::size_t kPagesOfExtent = PagePool::kExtent / PagePool::kPage - 1;
}

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

TEST_CASE("free pages are taken again before new memory is, the oldest extent first") {
  PagePool pool;
  std::vector<void*> pages;
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
