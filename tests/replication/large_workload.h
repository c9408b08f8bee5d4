#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/commands/test_server.h"
#include "tests/engine/random.h"

namespace magpie::testing {

/// A few strings and lists of some 100 KB, and all that can be done to them, so that a copy of them is always in the
/// middle of one that changes.
class LargeWorkload {
 public:
  LargeWorkload(TestServer& server, Random& random) : server_(server), random_(random) {}

  void fill() {
    for (int i = 0; i < kKeys; ++i) {
      run({"SET", "string" + std::to_string(i), bytes(200'000)});
      make_list("list" + std::to_string(i));
    }
  }
  void step() {
    if (random_.one_in(10)) run({"SELECT", number(kDatabases)});
    if (random_.one_in(60)) return change_all();
    if (random_.one_in(3)) return change_key();
    if (random_.one_in(2)) return change_string();
    change_list();
  }

 private:
  static constexpr int kKeys = 3;
  static constexpr std::uint64_t kDatabases = 2;
  static constexpr std::uint64_t kElements = 20'000;

  std::string number(std::uint64_t bound) { return std::to_string(random_.below(bound)); }
  std::string string() { return "string" + number(kKeys); }
  std::string list() { return "list" + number(kKeys); }
  std::string any() { return random_.one_in(2) ? string() : list(); }
  std::string bytes(std::size_t most) {
    return std::string(random_.below(most), static_cast<char>('a' + random_.below(26)));
  }

  void make_list(const std::string& key) {
    std::vector<std::string> push{"RPUSH", key};
    for (std::uint64_t i = kElements / 2 + random_.below(kElements / 2); i > 0; --i) push.push_back(number(1'000'000));
    run(push);
  }
  void change_string() {
    switch (random_.below(4)) {
      case 0:
        return run({"APPEND", string(), bytes(40'000)});
      case 1:
        return random_.one_in(4) ? run({"SET", string(), bytes(300'000)})
                                 : run({"SET", string(), bytes(100), "KEEPTTL"});
      default:
        return run({"SETRANGE", string(), number(250'000), bytes(50'000)});
    }
  }
  void change_list() {
    switch (random_.below(9)) {
      case 0:
        return run({"LPUSH", list(), "front", "before"});
      case 1:
        return run({"RPUSH", list(), "back", bytes(40'000)});
      case 2:
        return run({"LPOP", list(), number(3000)});
      case 3:
        return run({"RPOP", list(), number(3000)});
      case 4:
        return run({"LSET", list(), number(kElements), "set"});
      case 5:
        return run({"LINSERT", list(), random_.one_in(2) ? "AFTER" : "BEFORE", number(1'000'000), "new"});
      case 6:
        return run({"LTRIM", list(), number(2000), "-" + number(2000)});
      case 7:
        return run({"LREM", list(), "1", number(1000)});
      default:
        return make_list(list());
    }
  }
  void change_key() {
    switch (random_.below(8)) {
      case 0:
        return run({"RENAME", any(), any()});
      case 1:
        return run({"COPY", any(), any(), "REPLACE"});
      case 2:
        return run({"MOVE", any(), number(kDatabases)});
      case 3:
        return run({"DEL", any()});
      case 4:
        return run({"PERSIST", any()});
      case 5:
        run({"MULTI"});
        change_list();
        change_string();
        return run({"EXEC"});
      case 6:
        return run({"LTRIM", list(), "1", "0"});
      default:
        return run({"PEXPIRE", any(), number(1'000'000)});
    }
  }
  void change_all() {
    if (random_.one_in(4)) return run({"FLUSHDB"});
    run({"SWAPDB", "0", "1"});
  }
  void run(const std::vector<std::string>& arguments) { server_.run_as(0, arguments); }

  TestServer& server_;
  Random& random_;
};

}  // namespace magpie::testing
