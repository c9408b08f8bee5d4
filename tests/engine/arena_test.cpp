#include "server/engine/arena.h"

#include <doctest/doctest.h>

#include <cstring>
#include <map>
#include <vector>

#include "tests/engine/random.h"

using magpie::engine::Arena;
using magpie::engine::Handle;
using magpie::engine::PagePool;
using magpie::testing::Random;

namespace {

/// Cells with a content that tells whether another cell was written into them.
class Cells {
 public:
  explicit Cells(Arena& arena) : arena_(arena) {}

  void add(std::size_t bytes) {
    const Handle cell = arena_.take(bytes);
    REQUIRE(!content_.contains(cell));
    fill(cell, bytes, next_);
    content_[cell] = {bytes, next_};
    next_ = static_cast<unsigned char>((next_ + 1) % Arena::kFreeCell);
  }
  void drop(std::size_t number) {
    const auto at = std::next(content_.begin(), static_cast<std::ptrdiff_t>(number % content_.size()));
    check(at->first, at->second);
    arena_.give(at->first);
    content_.erase(at);
  }
  void move(Handle from) {
    const auto [bytes, content] = content_.at(from);
    const Handle to = arena_.take(bytes);
    std::memcpy(arena_.at(to), arena_.at(from), bytes);
    arena_.give(from);
    content_.erase(from);
    content_[to] = {bytes, content};
  }
  void check_all() {
    std::size_t bytes = 0;
    for (const auto& [cell, what] : content_) {
      check(cell, what);
      CHECK(arena_.size_of(cell) >= Arena::rounded(what.first));
      CHECK(arena_.size_of(cell) <= std::max<std::size_t>(what.first + what.first / 4, 5));
      bytes += arena_.size_of(cell);
    }
    CHECK(arena_.used() == bytes);
  }
  std::size_t size() const { return content_.size(); }

 private:
  using What = std::pair<std::size_t, unsigned char>;
  void fill(Handle cell, std::size_t bytes, unsigned char content) { std::memset(arena_.at(cell), content, bytes); }
  void check(Handle cell, const What& what) {
    for (std::size_t i = 0; i < what.first; ++i) {
      REQUIRE(static_cast<unsigned char>(arena_.at(cell)[i]) == what.second);
    }
  }
  Arena& arena_;
  std::map<Handle, What> content_;
  unsigned char next_ = 0;
};

}  // namespace

TEST_CASE("sizes of cells: two bytes apart up to 96, at most an eighth apart above") {
  std::size_t before = 0;
  for (std::size_t bytes = 1; bytes <= Arena::kLargest; ++bytes) {
    const std::size_t rounded = Arena::rounded(bytes);
    CHECK(rounded >= bytes);
    CHECK(rounded % 2 == 0);
    CHECK(rounded >= before);
    CHECK(rounded < (bytes <= 96 ? std::max<std::size_t>(bytes + 2, 5) : bytes + bytes / 8));
    before = rounded;
  }
}

TEST_CASE("cells keep their content through random taking, giving and moving") {
  Random random(1);
  Arena arena;
  Cells cells(arena);
  for (int round = 0; round < 20; ++round) {
    const bool grow = round % 2 == 0;
    for (int i = 0; i < 3000; ++i) {
      if (cells.size() == 0 || random.below(10) < (grow ? 8 : 2)) {
        cells.add(1 + random.below(random.below(4) == 0 ? Arena::kLargest : 64));
      } else {
        cells.drop(random.below(cells.size()));
      }
    }
    while (const auto page = arena.set_aside(1000)) {
      while (const auto cell = arena.first_used(*page)) cells.move(*cell);
    }
    cells.check_all();
  }
  while (cells.size() > 0) cells.drop(0);
  CHECK(arena.used() == 0);
  CHECK(arena.held() == 0);
}

TEST_CASE("compaction gives back the pages that deleting made sparse") {
  Random random(2);
  Arena arena;
  Cells cells(arena);
  for (int i = 0; i < 20'000; ++i) cells.add(52);
  const std::size_t full = arena.held();
  for (int i = 0; i < 14'000; ++i) cells.drop(random.below(cells.size()));
  while (const auto page = arena.set_aside(1000)) {
    while (const auto cell = arena.first_used(*page)) cells.move(*cell);
  }
  cells.check_all();
  CHECK(arena.held() < full * 34 / 100);
  CHECK(arena.held() < (arena.used() + 4 * PagePool::kPage) * 110 / 100);
}
