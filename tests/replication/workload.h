#pragma once

#include <cstddef>
#include <string>

#include "tests/commands/test_server.h"
#include "tests/engine/random.h"

namespace magpie::testing {

/// Random commands of every kind that changes something.
class Workload {
 public:
  struct Shape {
    std::uint64_t keys = 300;
    std::uint64_t databases = 3;
    bool whole_databases = true;  // FLUSHDB, FLUSHALL and SWAPDB, seldom
    std::size_t large = 40'000;   // bytes of the largest strings
  };
  Workload(TestServer& server, Random& random, Shape shape) : server_(server), random_(random), shape_(shape) {}
  Workload(TestServer& server, Random& random) : Workload(server, random, Shape{}) {}

  void step() {
    if (random_.one_in(8)) server_.run("SELECT " + std::to_string(random_.below(shape_.databases)));
    if (random_.one_in(20)) return transaction();
    change();
  }
  void steps(std::size_t count) {
    for (; count > 0; --count) step();
  }

 private:
  std::string key() { return "key" + std::to_string(random_.below(shape_.keys)); }
  std::string list() { return "list" + std::to_string(random_.below(shape_.keys / 4 + 1)); }
  std::string number(std::uint64_t bound) { return std::to_string(random_.below(bound)); }
  std::string value() {
    if (random_.one_in(3)) return number(1'000'000);
    const std::size_t size = random_.one_in(50) ? random_.below(shape_.large) : random_.below(60);
    return std::string(size, static_cast<char>('a' + random_.below(26)));
  }

  void transaction() {
    server_.run("MULTI");
    for (std::uint64_t i = random_.below(6); i > 0; --i) change();
    server_.run(random_.one_in(5) ? "DISCARD" : "EXEC");
  }
  void change() {
    switch (random_.below(6)) {
      case 0:
      case 1:
        return change_string();
      case 2:
      case 3:
        return change_list();
      case 4:
        return change_key();
      default:
        return shape_.whole_databases && random_.one_in(60) ? change_database() : change_string();
    }
  }
  void change_string() {
    switch (random_.below(8)) {
      case 0:
        return run({"APPEND", key(), value()});
      case 1:
        return run({"SETRANGE", key(), number(100), value()});
      case 2:
        return run({"MSET", key(), value(), key(), value(), key(), value()});
      case 3:
        return run({"INCRBY", key(), number(50)});
      case 4:
        return run({"SET", key(), value(), "PX", number(2000) + "0"});
      default:
        return run({"SET", key(), value()});
    }
  }
  void change_list() {
    switch (random_.below(10)) {
      case 0:
        return run({"LPUSH", list(), value(), value()});
      case 1:
        return run({"LPOP", list(), number(3)});
      case 2:
        return run({"LSET", list(), number(20), value()});
      case 3:
        return run({"LINSERT", list(), "AFTER", number(9), value()});
      case 4:
        return run({"LTRIM", list(), number(4), "-" + number(3)});
      case 5:
        return run({"LMOVE", list(), list(), "LEFT", "RIGHT"});
      default:
        return run({"RPUSH", list(), value(), number(9), value()});
    }
  }
  void change_key() {
    switch (random_.below(8)) {
      case 0:
        return run({"RENAME", key(), key()});
      case 1:
        return run({"RENAME", list(), list()});
      case 2:
        return run({"COPY", list(), list(), "REPLACE"});
      case 3:
        return run({"MOVE", key(), number(shape_.databases)});
      case 4:
        return run({"PEXPIRE", random_.one_in(2) ? key() : list(), number(30'000)});
      case 5:
        return run({"PERSIST", key()});
      case 6:
        server_.advance(static_cast<std::int64_t>(random_.below(20)));
        return;
      default:
        return run({"DEL", key(), key(), list()});
    }
  }
  void change_database() {
    switch (random_.below(6)) {
      case 0:
        return run({"FLUSHDB"});
      case 1:
        if (random_.one_in(4)) run({"FLUSHALL"});
        return;
      default:
        return run({"SWAPDB", number(shape_.databases), number(shape_.databases)});
    }
  }
  void run(const std::vector<std::string>& arguments) { server_.run_as(0, arguments); }

  TestServer& server_;
  Random& random_;
  Shape shape_;
};

}  // namespace magpie::testing
