#include "server/engine/page_list.h"

#include <doctest/doctest.h>

#include <vector>

using magpie::engine::PageList;

TEST_CASE("a list of pages grows in blocks that never move, and shrinks") {
  constexpr std::size_t kMany = 10'000;
  std::vector<int> pages(kMany);
  const std::int64_t before = magpie::engine::used_memory();
  {
    PageList<int> list;
    CHECK(list.empty());
    CHECK(list.peek(0) == nullptr);
    CHECK(list.memory() == 0);
    for (std::size_t i = 0; i < kMany; ++i) {
      list.push_back(&pages[i]);
      REQUIRE(list.size() == i + 1);
      REQUIRE(list.back() == &pages[i]);
      REQUIRE(list.peek(i + 1) == nullptr);
    }
    for (std::size_t i = 0; i < kMany; ++i) REQUIRE(list[i] == &pages[i]);
    CHECK(list.memory() <= 2 * kMany * sizeof(int*));
    for (std::size_t i = kMany; i-- > 1;) {
      list.pop_back();
      REQUIRE(list.peek(i) == nullptr);
      REQUIRE(list.peek(i - 1) == &pages[i - 1]);
    }
    list.set(0, nullptr);
    CHECK(list[0] == nullptr);
    CHECK(list.size() == 1);
  }
  CHECK(magpie::engine::used_memory() == before);
}

TEST_CASE("a list of pages answers nothing for a number that no list reaches") {
  int page = 0;
  PageList<int> list;
  list.push_back(&page);
  for (std::size_t number = 1; number != 0; number <<= 1) CHECK(list.peek(number) == nullptr);
  CHECK(list.peek(SIZE_MAX / 2) == nullptr);
  CHECK(list.peek(0) == &page);
}
