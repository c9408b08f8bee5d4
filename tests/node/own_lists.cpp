#include "tests/node/own_lists.h"

#include <algorithm>
#include <cstddef>

#include "tests/engine/whole_element.h"
#include "tests/node/load.h"

namespace magpie::testing {
namespace {

constexpr std::size_t kLists = 40;
constexpr std::string_view kNoRoom = "-OOM ";

std::string number(std::size_t value) { return ":" + std::to_string(value) + "\r\n"; }

}  // namespace

OwnLists::OwnLists(const TestNode& node, Random random) : client_(node), random_(random) {
  const std::string own = "own:" + std::to_string(random_.next()) + ':';
  while (lists_.size() < kLists) lists_.push_back({own + std::to_string(lists_.size()), {}});
}

void OwnLists::step() {
  List& list = some_list();
  switch (random_.below(16)) {
    case 0:
      return pop(list);
    case 1:
      return change(list);
    case 2:
      return insert(list);
    case 3:
      return trim(list);
    case 4:
      return copy(list);
    case 5:
    case 6:
      return move(list);
    case 7:
      return random_.one_in(4) ? remove(list) : expire(list);
    case 8:
    case 9:
    case 10:
      compare(list, random_.below(list.elements.size() + 1), random_.below(100));
      return;
    default:
      push(list);
  }
}

std::int64_t OwnLists::check_all() {
  return std::ranges::count_if(
      lists_, [&](List& list) { return !list.elements.empty() && compare(list, 0, list.elements.size()); });
}

std::vector<std::string> OwnLists::some_elements(std::uint64_t most) {
  std::vector<std::string> elements(1 + random_.below(most));
  for (std::string& element : elements) element = whole_element(random_.below(1'000'000));
  return elements;
}

OwnLists::List& OwnLists::other_than(const List& list) {
  while (true) {
    List& other = some_list();
    if (&other != &list) return other;
  }
}

/// Reads a reply. True if it is what the model leads to; else the list must be gone, and goes from the model too, or
/// there is no room.
bool OwnLists::done(List& list, std::string_view expected, std::string_view if_gone) {
  const std::string got = client_.reply();
  if (got == expected && !list.elements.empty()) return true;
  if (got == if_gone) {
    list.elements.clear();
  } else if (!got.starts_with(kNoRoom)) {
    unexpected(got, expected);
  }
  return false;
}

bool OwnLists::compare(List& list, std::size_t first, std::size_t count) {
  ask({"LRANGE", list.key, std::to_string(first), std::to_string(first + count)});
  const std::size_t end = std::min(list.elements.size(), first + count + 1);
  std::string expected = "*" + std::to_string(end - std::min(first, end)) + "\r\n";
  for (std::size_t i = first; i < end; ++i) expected += bulk(list.elements[i]);
  return done(list, expected, "*0\r\n");
}

void OwnLists::push(List& list) {
  const std::vector<std::string> fresh = some_elements(random_.one_in(8) ? 60 : 4);
  const bool front = random_.one_in(2);
  std::vector<std::string> command{front ? "LPUSH" : "RPUSH", list.key};
  command.insert(command.end(), fresh.begin(), fresh.end());
  ask(command);
  const std::string got = client_.reply();
  if (got.starts_with(kNoRoom)) return;
  if (got == number(fresh.size())) {
    list.elements.clear();
  } else if (got != number(list.elements.size() + fresh.size())) {
    unexpected(got, number(list.elements.size() + fresh.size()));
  }
  for (const std::string& element : fresh) {
    front ? list.elements.push_front(element) : list.elements.push_back(element);
  }
}

void OwnLists::pop(List& list) {
  const bool front = random_.one_in(2);
  ask({front ? "LPOP" : "RPOP", list.key});
  const std::string expected =
      list.elements.empty() ? "$-1\r\n" : bulk(front ? list.elements.front() : list.elements.back());
  if (!done(list, expected, "$-1\r\n")) return;
  front ? list.elements.pop_front() : list.elements.pop_back();
}

void OwnLists::change(List& list) {
  const std::size_t index = random_.below(list.elements.size() + 1);
  const std::string element = some_elements(1).front();
  ask({"LSET", list.key, std::to_string(index), element});
  const bool outside = index == list.elements.size();
  if (!done(list, outside ? "-ERR index out of range\r\n" : "+OK\r\n", "-ERR no such key\r\n") || outside) return;
  list.elements[index] = element;
}

/// At the first element of those that are the same.
void OwnLists::insert(List& list) {
  const std::string element = some_elements(1).front();
  const std::string pivot =
      list.elements.empty() ? element : list.elements[random_.below(std::min<std::size_t>(list.elements.size(), 100))];
  const bool after = random_.one_in(2);
  ask({"LINSERT", list.key, after ? "AFTER" : "BEFORE", pivot, element});
  if (!done(list, number(list.elements.size() + 1), ":0\r\n")) return;
  const auto at = std::ranges::find(list.elements, pivot);
  list.elements.insert(after ? at + 1 : at, element);
}

/// The reply does not tell whether there was a list.
void OwnLists::trim(List& list) {
  const std::size_t size = list.elements.size();
  const std::size_t first = random_.below(random_.one_in(4) ? size + 1 : 3);
  const std::size_t last = size - std::min(size, random_.below(4));
  ask({"LTRIM", list.key, std::to_string(first), std::to_string(last)});
  expect(client_, "+OK\r\n");
  const auto begin = list.elements.begin();
  const std::size_t end = std::min(size, last + 1);
  list.elements.erase(begin + static_cast<std::ptrdiff_t>(end), list.elements.end());
  list.elements.erase(list.elements.begin(),
                      list.elements.begin() + static_cast<std::ptrdiff_t>(std::min(first, list.elements.size())));
}

void OwnLists::copy(List& list) {
  List& target = other_than(list);
  ask({"COPY", list.key, target.key, "REPLACE"});
  if (done(list, list.elements.empty() ? ":0\r\n" : ":1\r\n", ":0\r\n")) target.elements = list.elements;
}

/// The reply does not tell whether the target was there.
void OwnLists::move(List& list) {
  List& target = other_than(list);
  const bool front = random_.one_in(2);
  ask({"LMOVE", list.key, target.key, front ? "LEFT" : "RIGHT", "LEFT"});
  ask({"LLEN", target.key});
  const std::string moved = list.elements.empty() ? "" : front ? list.elements.front() : list.elements.back();
  const bool there = done(list, bulk(moved), "$-1\r\n");
  if (there) {
    front ? list.elements.pop_front() : list.elements.pop_back();
    target.elements.push_front(moved);
  }
  const std::string got = client_.reply();
  if (got == ":0\r\n") {
    target.elements.clear();
  } else if (there && got == ":1\r\n") {
    target.elements = {moved};
  } else if (got != number(target.elements.size())) {
    unexpected(got, number(target.elements.size()));
  }
}

void OwnLists::remove(List& list) {
  ask({random_.one_in(2) ? "DEL" : "UNLINK", list.key});
  if (done(list, ":1\r\n", ":0\r\n")) list.elements.clear();
}

void OwnLists::expire(List& list) {
  ask({"PEXPIRE", list.key, std::to_string(1 + random_.below(30))});
  done(list, ":1\r\n", ":0\r\n");
}

}  // namespace magpie::testing
