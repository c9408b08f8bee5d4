#include "server/net/loop.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/net/mailbox.h"
#include "server/net/timer.h"

namespace magpie::net {
namespace {

#ifdef MAGPIE_SANITIZED
constexpr int kTasksPerThread = 5'000;
#else
constexpr int kTasksPerThread = 50'000;
#endif
constexpr int kPosters = 4;
constexpr int kHops = kTasksPerThread / 5;

}  // namespace

TEST_CASE("loop: without descriptors for it there is an error") {
  const Loop first;  // what libuv needs once
  const int free = ::dup(0);
  REQUIRE(free >= 0);
  ::close(free);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit low = before;
  low.rlim_cur = static_cast<rlim_t>(free) + 2;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  CHECK_THROWS_AS(Loop(), Loop::Unavailable);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

TEST_CASE("loop: stop before run, stop from a task, run again") {
  Loop loop;
  int ran = 0;
  loop.post([&] { ++ran; });
  loop.stop();
  loop.run();
  CHECK(ran == 1);
  loop.post([&] {
    ++ran;
    loop.stop();
  });
  loop.run();
  CHECK(ran == 2);
}

TEST_CASE("loop: stop from another thread ends a sleeping loop") {
  Loop loop;
  std::promise<void> runs;
  loop.post([&] { runs.set_value(); });
  std::thread other([&] {
    runs.get_future().wait();
    loop.stop();
  });
  loop.run();
  other.join();
}

TEST_CASE("loop: belongs to its creator, then to the thread that runs it") {
  Loop loop;
  CHECK(loop.in_loop());
  std::atomic<bool> inside = false;
  loop.post([&] {
    inside = loop.in_loop();
    loop.stop();
  });
  std::thread runner([&] { loop.run(); });
  runner.join();
  CHECK(inside);
  CHECK_FALSE(loop.in_loop());
}

TEST_CASE("loop: tasks of its own thread run in order, without anybody else waking it") {
  Loop loop;
  std::vector<int> order;
  std::function<void(int)> chain = [&](int left) {
    order.push_back(left);
    if (left == 0) {
      loop.stop();
    } else {
      loop.post([&chain, left] { chain(left - 1); });
    }
  };
  Timer start(loop, [&] { chain(1000); });  // from a callback of libuv, not from a task
  start.start_once(std::chrono::milliseconds(0));
  loop.run();
  REQUIRE(order.size() == 1001);
  for (int i = 0; i <= 1000; ++i) CHECK(order[static_cast<std::size_t>(i)] == 1000 - i);
}

TEST_CASE("loop: every task of four posting threads runs once and in order") {
  Loop loop;
  std::array<int, kPosters> next{};
  int total = 0;
  int out_of_order = 0;
  std::vector<std::thread> posters;
  posters.reserve(kPosters);
  for (std::size_t poster = 0; poster < kPosters; ++poster) {
    posters.emplace_back([&, poster] {
      for (int i = 0; i < kTasksPerThread; ++i) {
        loop.post([&, poster, i] {
          if (next[poster]++ != i) ++out_of_order;
          if (++total == kPosters * kTasksPerThread) loop.stop();
        });
        if (i % 64 == 0) std::this_thread::yield();  // the loop falls asleep now and then
      }
    });
  }
  loop.run();
  for (auto& poster : posters) poster.join();
  CHECK(total == kPosters * kTasksPerThread);
  CHECK(out_of_order == 0);
}

TEST_CASE("loop: no wakeup is lost between loops that sleep after every task") {
  // Each hop finds the other loop at another point of falling asleep: a lost wakeup stops the game for good.
  Loop left;
  Loop right;
  int hops = 0;
  std::function<void()> to_left;
  std::function<void()> to_right = [&] {
    if (++hops == kHops) {
      left.stop();
      right.stop();
    } else {
      right.post([&] { to_left(); });
    }
  };
  to_left = [&] { left.post([&] { to_right(); }); };
  std::thread runner([&] { right.run(); });
  left.post([&] { to_right(); });
  left.run();
  runner.join();
  CHECK(hops == kHops);
}

TEST_CASE("mailbox: neither tasks nor wakeups get lost while the consumer falls asleep") {
  constexpr int kTasks = 400'000;  // a single poster: the mailbox is empty again and again
  Mailbox mailbox;
  std::atomic<int> wakeups = 0;
  int ran = 0;
  std::thread poster([&] {
    for (int i = 0; i < kTasks; ++i) {
      if (!mailbox.push([&] { ++ran; })) continue;
      ++wakeups;
      wakeups.notify_one();
    }
  });
  int sleeps = 0;
  while (ran < kTasks) {
    const int seen = wakeups.load();
    if (mailbox.try_sleep()) {
      if (++sleeps % 64 == 0) wakeups.wait(seen);  // else it wakes up by itself
      mailbox.wake();
    }
    mailbox.run_all();
  }
  poster.join();
  CHECK(ran == kTasks);
}

TEST_CASE("loop: many posters, each waits for its own task") {
  Loop loop;
  std::thread runner([&] { loop.run(); });
  std::vector<std::thread> posters;
  posters.reserve(kPosters);
  std::atomic<int> done = 0;
  for (int poster = 0; poster < kPosters; ++poster) {
    posters.emplace_back([&] {
      for (int i = 0; i < kTasksPerThread / 10; ++i) {
        std::atomic_flag ran;
        loop.post([&] {
          ++done;
          ran.test_and_set();
          ran.notify_one();
        });
        ran.wait(false);
      }
    });
  }
  for (auto& poster : posters) poster.join();
  loop.stop();
  runner.join();
  CHECK(done == kPosters * (kTasksPerThread / 10));
}

TEST_CASE("loop: tasks that never ran are dropped with it, also those posted while dropping") {
  struct PostsOnDestruction {
    explicit PostsOnDestruction(Loop& target, std::shared_ptr<int> kept) : loop(&target), held(std::move(kept)) {}
    PostsOnDestruction(PostsOnDestruction&& other) noexcept
        : loop(std::exchange(other.loop, nullptr)), held(std::move(other.held)) {}
    PostsOnDestruction& operator=(PostsOnDestruction&&) = delete;
    ~PostsOnDestruction() {
      if (loop != nullptr) loop->post([kept = std::move(held)] {});
    }
    Loop* loop;
    std::shared_ptr<int> held;
  };
  auto alive = std::make_shared<int>(0);
  {
    Loop loop;
    loop.post([bomb = PostsOnDestruction(loop, alive)] {});
    loop.post([kept = alive] {});
    CHECK(alive.use_count() == 3);
  }
  CHECK(alive.use_count() == 1);
}

}  // namespace magpie::net
