#include "server/engine/page_tender.h"

#include <doctest/doctest.h>

#include <vector>

using magpie::engine::PagePool;
using magpie::engine::PageTender;

namespace {

constexpr std::size_t kPagesOfExtent = PagePool::kExtent / PagePool::kPage;

std::size_t tend(PageTender& tender) {
  std::size_t steps = 0;
  tender.begin();
  while (tender.step()) ++steps;
  return steps;
}

}  // namespace

TEST_CASE("free pages are there before they are asked for, and more of them while many are taken") {
  PagePool pool;
  PageTender tender(pool);
  CHECK(tend(tender) == 1);
  CHECK(pool.usage().resident == kPagesOfExtent);
  CHECK(tend(tender) == 0);
  std::vector<void*> pages;
  pages.reserve(4 * kPagesOfExtent);
  for (std::size_t i = 0; i < 4 * kPagesOfExtent; ++i) pages.push_back(pool.take());
  const std::size_t steps = tend(tender);
  CHECK(steps > 4);
  CHECK(steps <= 8);  // an extent each; the rest waits for the next time
  CHECK(pool.usage().resident >= 4 * kPagesOfExtent);
  for (void* page : pages) pool.give(page);
}

TEST_CASE("what is free and not needed is handed back, some at a time") {
  PagePool pool;
  PageTender tender(pool);
  std::vector<void*> pages;
  pages.reserve(100 * kPagesOfExtent);
  for (std::size_t i = 0; i < 100 * kPagesOfExtent; ++i) pages.push_back(pool.take());
  tend(tender);
  for (void* page : pages) pool.give(page);
  std::size_t before = pool.usage().resident;
  int times = 0;
  while (tend(tender) > 0) {
    CHECK(pool.usage().resident < before);
    before = pool.usage().resident;
    ++times;
  }
  CHECK(times > 1);
  CHECK(pool.usage().taken == 0);
  CHECK(pool.usage().resident < 1000);
}
