#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "tests/engine/random.h"
#include "tests/node/fixture.h"

namespace magpie::testing {

/// Lists that only this client changes, and a model of them. A list that expires or is evicted goes as a whole: what a
/// reply tells of it is what the model has, or that there is none. Anything else is an exception. One thread.
class OwnLists {
 public:
  OwnLists(const TestNode& node, Random random);

  /// One command with what it takes to know what it has done.
  void step();
  /// Compares all lists; returns how many are still there.
  std::int64_t check_all();

 private:
  struct List {
    std::string key;
    std::deque<std::string> elements;
  };
  std::vector<std::string> some_elements(std::uint64_t most);
  List& some_list() { return lists_[random_.below(lists_.size())]; }
  List& other_than(const List& list);
  void ask(const std::vector<std::string>& command) const { client_.send(encode(command)); }
  bool done(List& list, std::string_view expected, std::string_view if_gone);
  bool compare(List& list, std::size_t first, std::size_t count);

  void push(List& list);
  void pop(List& list);
  void change(List& list);
  void insert(List& list);
  void trim(List& list);
  void copy(List& list);
  void move(List& list);
  void remove(List& list);
  void expire(List& list);

  Client client_;
  Random random_;
  std::vector<List> lists_;
};

}  // namespace magpie::testing
