#include "server/engine/list_view.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "server/engine/memory.h"
#include "tests/engine/random.h"

using magpie::engine::IntegerScratch;
using magpie::engine::List;
using magpie::engine::ListView;
using magpie::engine::StringValue;
using magpie::engine::used_memory;
using magpie::testing::Random;

namespace {

using Model = std::deque<std::string>;

struct Pair {
  List list;
  Model model;
};

std::string text(const StringValue& value) {
  IntegerScratch scratch;
  return std::string(text_of(value, scratch));
}

std::string any_element(Random& random) {
  if (random.one_in(4)) return std::to_string(static_cast<std::int64_t>(random.next()) >> random.below(64));
  if (random.one_in(60)) return std::string(random.below(9000), 'l');
  return std::string(random.below(120), static_cast<char>('a' + random.below(26)));
}

void check_same(const List& list, const Model& model) {
  REQUIRE(list.size() == model.size());
  REQUIRE(list.consistent());
  ListView::Cursor forward(ListView(list), 0);
  for (const std::string& element : model) {
    REQUIRE(forward.valid());
    REQUIRE(text(forward.value()) == element);
    forward.next();
  }
  REQUIRE_FALSE(forward.valid());
  ListView::Cursor backward(ListView(list), model.size() - 1);
  for (std::size_t i = model.size(); i-- > 0; backward.previous()) {
    REQUIRE(backward.index() == i);
    REQUIRE(text(backward.value()) == model[i]);
  }
  REQUIRE_FALSE(backward.valid());
}

void grow(Pair& pair, Random& random) {
  const std::string element = any_element(random);
  const std::size_t index = random.below(pair.model.size() + 1);
  switch (random.below(4)) {
    case 0:
      pair.list.push_front(element);
      pair.model.push_front(element);
      return;
    case 1:
      pair.list.push_back(element);
      pair.model.push_back(element);
      return;
    default:
      pair.list.insert(index, element);
      pair.model.insert(pair.model.begin() + static_cast<std::ptrdiff_t>(index), element);
  }
}

void change(Pair& pair, Random& random) {
  if (pair.model.empty() || random.below(100) < 52) return grow(pair, random);
  const std::size_t index = random.below(pair.model.size());
  const auto at = pair.model.begin() + static_cast<std::ptrdiff_t>(index);
  const std::uint64_t kind = random.below(40);
  if (kind < 10) {
    pair.list.pop_front();
    pair.model.pop_front();
  } else if (kind < 20) {
    pair.list.pop_back();
    pair.model.pop_back();
  } else if (kind < 32) {
    *at = any_element(random);
    pair.list.set(index, *at);
  } else {
    const std::size_t most = random.one_in(30) ? pair.model.size() : 4;
    const std::size_t count = random.below(std::min(pair.model.size() - index, most) + 1);
    pair.list.erase(index, count);
    pair.model.erase(at, at + static_cast<std::ptrdiff_t>(count));
  }
}

void free_all() {
  while (List::free_some(100) > 0) {
  }
}

List filled(std::size_t count) {
  List list;
  const std::string element(32, 'x');
  for (std::size_t i = 0; i < count; ++i) list.push_back(element);
  return list;
}

}  // namespace

TEST_CASE("lists and their shared copies do what deques do") {
  const std::int64_t before = used_memory();
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Random random(seed);
    std::vector<Pair> pairs(3);
    for (int i = 0; i < 1500; ++i) grow(pairs[0], random);
    for (int round = 0; round < 3000; ++round) {
      Pair& pair = pairs[random.below(pairs.size())];
      change(pair, random);
      if (!pair.model.empty()) {
        const std::size_t index = random.below(pair.model.size());
        REQUIRE(text(pair.list.at(index)) == pair.model[index]);
      }
      if (random.one_in(50)) pairs[random.below(pairs.size())] = Pair(pairs[random.below(pairs.size())]);
      if (random.one_in(20)) List::free_some(random.below(5));
      if (round % 300 == 0) {
        for (const Pair& one : pairs) check_same(one.list, one.model);
      }
    }
  }
  free_all();
  CHECK(used_memory() == before);
}

TEST_CASE("a queue stays small and in order") {
  List list;
  for (int i = 0; i < 20'000; ++i) {
    list.push_back(std::to_string(i));
    if (i < 500) continue;
    REQUIRE(text(list.at(0)) == std::to_string(i - 500));
    list.pop_front();
  }
  CHECK(list.size() == 500);
  CHECK(list.consistent());
}

TEST_CASE("an element of 32 bytes takes at most four bytes more in a large list") {
  constexpr std::int64_t kCount = 200'000;
  for (const bool at_front : {false, true}) {
    free_all();
    const std::int64_t before = used_memory();
    List list;
    const std::string element(32, 'x');
    for (std::int64_t i = 0; i < kCount; ++i) at_front ? list.push_front(element) : list.push_back(element);
    const std::int64_t beyond = used_memory() - before - kCount * 32;
    MESSAGE("bytes beyond payload per element: ", static_cast<double>(beyond) / kCount);
    CHECK(beyond <= kCount * 4);
  }
  free_all();
}

TEST_CASE("a copy takes no memory, and a change in it little") {
  List list = filled(100'000);
  const std::int64_t before = used_memory();
  List copy = list;
  CHECK(used_memory() == before);
  copy.set(50'000, "changed");
  CHECK(used_memory() - before < 20'000);
  CHECK(text(copy.at(50'000)) == "changed");
  CHECK(text(list.at(50'000)) == std::string(32, 'x'));
}

TEST_CASE("a large list is freed in slices, and counts until then") {
  free_all();
  const std::int64_t before = used_memory();
  constexpr std::size_t kLimit = 10;
  constexpr std::int64_t kChunkMost = 4096 + 512;  // with its node
  List list = filled(1'000'000);
  const std::int64_t full = used_memory();
  list.erase(1000, 998'000);
  CHECK(list.size() == 2000);
  CHECK(used_memory() > full - 10 * kChunkMost);
  list = {};
  std::size_t chunks = 0;
  while (true) {
    const std::int64_t counted = used_memory();
    const std::size_t freed = List::free_some(kLimit);
    REQUIRE(freed <= kLimit + 2);
    REQUIRE(counted - used_memory() <= static_cast<std::int64_t>(kLimit + 2) * kChunkMost);
    if (freed == 0) break;
    chunks += freed;
  }
  CHECK(chunks > 1'000'000 / 130);
  CHECK(used_memory() == before);
}
