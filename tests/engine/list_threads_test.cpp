#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "server/engine/list_view.h"
#include "server/engine/memory.h"

using magpie::engine::List;
using magpie::engine::ListView;
using magpie::engine::used_memory;

TEST_CASE("threads change, copy and drop lists that share") {
  while (List::free_some(1000) > 0) {
  }
  const std::int64_t before = used_memory();
  {
    List shared;
    for (int i = 0; i < 5000; ++i) shared.push_back(std::string(32, 'x'));
    std::vector<List> own(2, shared);
    std::vector<std::thread> threads;
    threads.reserve(own.size());
    for (std::size_t number = 0; number < own.size(); ++number) {
      threads.emplace_back([mine = std::move(own[number]), number]() mutable {
        for (std::size_t round = 0; round < 300; ++round) {
          const List kept = mine;
          mine.set(round * 7 % mine.size(), std::to_string(number));
          mine.erase(round * 13 % mine.size(), 3);
          mine.pop_front();
          mine.push_back("pushed");
          List::free_some(3);
        }
        if (mine.size() != 5000 - 900) std::abort();
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(shared.size() == 5000);
    CHECK(shared.consistent());
    bool same = true;
    for (ListView::Cursor at(ListView(shared), 0); at.valid(); at.next())
      same = same && at.value().bytes == std::string(32, 'x');
    CHECK(same);
  }
  while (List::free_some(1000) > 0) {
  }
  CHECK(used_memory() == before);
}
