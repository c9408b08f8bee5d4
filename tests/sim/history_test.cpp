#include "tests/sim/history.h"

#include <doctest/doctest.h>

#include <limits>

// A checker that finds nothing is worth nothing: here are histories that are wrong, next to such as are right.

using namespace magpie::sim;  // NOLINT(google-build-using-namespace): one file, one namespace under test

namespace {

using Kind = Operation::Kind;

TrueTime at(int ms) { return TrueTime{milliseconds(ms)}; }

/// Calls with the time at which they begin and end; no end means no reply.
class Story {
 public:
  Story& write(Value value, int begin, int end, std::size_t key = 0) {
    return add({Kind::Write, key, value}, begin, end);
  }
  Story& lost_write(Value value, int begin) { return add({Kind::Write, 0, value}, begin, 0); }
  Story& read(Value value, int begin, int end) { return add({Kind::Read, 0, 0}, begin, end, value); }
  Story& push(Value value, int begin, int end) { return add({Kind::Push, kFirstList, value}, begin, end); }
  Story& list(std::vector<Value> values, int begin, int end) {
    return add({Kind::ReadList, kFirstList, 0}, begin, end, 0, std::move(values));
  }
  bool registers() const { return !check_registers(history_); }
  bool lists(const std::vector<Value>& final, bool all = true) const {
    return !check_lists(history_, {final, {}}, all);
  }
  History& history() { return history_; }

 private:
  Story& add(const Operation& operation, int begin, int end, Value value = 0, std::vector<Value> list = {}) {
    const std::size_t call = history_.begin(operation, at(begin));
    if (end > 0) history_.end(call, {Reply::Status::Done, value, std::move(list)}, at(end));
    return *this;
  }
  History history_;
};

}  // namespace

TEST_CASE("registers that one copy could have shown") {
  CHECK(Story().registers());
  CHECK(Story().read(0, 1, 2).write(1, 3, 4).read(1, 5, 6).registers());
  CHECK(Story().write(1, 1, 10).read(0, 2, 3).read(1, 4, 5).registers());
  CHECK(Story().write(1, 1, 10).write(2, 1, 10).read(2, 11, 12).read(2, 13, 14).registers());
  CHECK(Story().write(1, 1, 10).write(2, 2, 9).read(2, 3, 4).read(1, 5, 6).registers());
  CHECK(Story().write(1, 1, 2).lost_write(2, 3).read(1, 10, 11).read(2, 20, 21).registers());
  CHECK(Story().write(1, 1, 2, 0).write(2, 3, 4, 1).read(1, 5, 6).registers());
}

TEST_CASE("registers that no copy could have shown") {
  CHECK_FALSE(Story().read(7, 1, 2).registers());
  CHECK_FALSE(Story().read(1, 1, 2).write(1, 3, 4).registers());
  CHECK_FALSE(Story().write(1, 1, 2).read(0, 3, 4).registers());
  CHECK_FALSE(Story().write(1, 1, 2).write(2, 3, 4).read(1, 5, 6).registers());
  CHECK_FALSE(Story().write(1, 1, 10).read(1, 2, 3).read(0, 4, 5).registers());
  CHECK_FALSE(Story().write(1, 1, 10).write(2, 1, 10).read(1, 11, 12).read(2, 13, 14).registers());
  CHECK_FALSE(Story().write(1, 1, 2).lost_write(2, 3).read(2, 10, 11).read(1, 20, 21).registers());
  CHECK_FALSE(Story().write(1, 1, 2).read(1, 3, 20).write(2, 4, 5).read(1, 6, 7).registers());
}

TEST_CASE("after data was lost only what is new counts") {
  Story story;
  story.write(1, 1, 2);
  story.history().data_lost(1);
  story.read(0, 3, 4).write(2, 5, 6).read(2, 7, 8);
  CHECK(story.registers());
  CHECK_FALSE(story.write(3, 9, 10).read(2, 11, 12).registers());
}

TEST_CASE("lists") {
  CHECK(Story().push(1, 1, 2).push(2, 3, 4).list({1}, 3, 4).list({1, 2}, 5, 6).lists({1, 2}));
  CHECK(Story().push(1, 1, 5).push(2, 2, 4).lists({2, 1}));
  CHECK(Story().push(1, 1, 0).lists({}));
  CHECK(Story().push(1, 1, 0).lists({1}));
  CHECK(Story().push(1, 1, 2).lists({}, false));
  CHECK_FALSE(Story().push(1, 1, 2).lists({}));
  CHECK_FALSE(Story().push(1, 1, 2).lists({1, 1}));
  CHECK_FALSE(Story().push(1, 1, 2).lists({1, 1}, false));
  CHECK_FALSE(Story().push(1, 1, 2).push(2, 3, 4).lists({2, 1}));
  CHECK_FALSE(Story().lists({1}));
  CHECK_FALSE(Story().push(1, 1, 2).list({}, 3, 4).lists({1}));
  CHECK_FALSE(Story().push(1, 1, 9).list({1}, 2, 3).list({}, 4, 5).lists({1}));
  CHECK_FALSE(Story().push(1, 1, 0).list({1}, 2, 3).lists({}));
}
