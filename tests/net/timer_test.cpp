#include "server/net/timer.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

namespace magpie::net {
using std::chrono::milliseconds;

TEST_CASE("timer: once, in the order in which they are due") {
  Loop loop;
  std::string fired;
  Timer late(loop, [&] {
    fired += "late";
    loop.stop();
  });
  Timer early(loop, [&] { fired += "early "; });
  late.start_once(milliseconds(20));
  early.start_once(milliseconds(1));
  CHECK(late.active());
  loop.run();
  CHECK(fired == "early late");
  CHECK_FALSE(early.active());
}

TEST_CASE("timer: repeats until stopped, also with period 0") {
  for (const auto period : {milliseconds(0), milliseconds(1)}) {
    Loop loop;
    int fired = 0;
    Timer* self = nullptr;
    Timer timer(loop, [&] {
      if (++fired < 3) return;
      self->stop();
      loop.stop();
    });
    self = &timer;
    timer.start_repeating(period);
    loop.run();
    CHECK(fired == 3);
    CHECK_FALSE(timer.active());
  }
}

TEST_CASE("timer: a stopped one does not fire") {
  Loop loop;
  Timer never(loop, [] { FAIL("stopped timer fired"); });
  Timer end(loop, [&] { loop.stop(); });
  never.start_once(milliseconds(1));
  end.start_once(milliseconds(5));
  never.stop();
  loop.run();
}

TEST_CASE("timer: counts from now, not from the start of the iteration") {
  using Clock = std::chrono::steady_clock;
  Loop loop;
  Clock::time_point started;
  Clock::duration waited{};
  Timer timer(loop, [&] {
    waited = Clock::now() - started;
    loop.stop();
  });
  loop.post([&] {
    loop.post([&] {  // after the poll: the next iteration looks at the timers first
      std::this_thread::sleep_for(milliseconds(60));
      started = Clock::now();
      timer.start_once(milliseconds(50));
    });
  });
  loop.run();
  CHECK(waited >= milliseconds(45));  // libuv counts whole milliseconds of a coarse clock
}

TEST_CASE("timer: may be destroyed in its callback") {
  Loop loop;
  std::unique_ptr<Timer> timer;
  const std::string text(100, 'x');
  timer = std::make_unique<Timer>(loop, [&, copy = text] {
    timer.reset();
    CHECK(copy == text);
    loop.stop();
  });
  timer->start_repeating(milliseconds(1));
  loop.run();
  CHECK(timer == nullptr);
}

TEST_CASE("timer and signal watcher: may outlive their loop") {
  auto loop = std::make_unique<Loop>();
  Timer timer(*loop, [] { FAIL("fired after the loop"); });
  const SignalWatcher watcher(*loop, SIGUSR2, [] {});
  timer.start_repeating(milliseconds(1));
  loop.reset();
  CHECK_FALSE(timer.active());
  timer.start_once(milliseconds(1));
  timer.stop();
}

TEST_CASE("signal: is reported on the loop, twice if it comes twice") {
  Loop loop;
  int received = 0;
  const SignalWatcher watcher(loop, SIGUSR1, [&] {
    if (++received == 2) {
      loop.stop();
    } else {
      ::kill(::getpid(), SIGUSR1);
    }
  });
  loop.post([] { ::kill(::getpid(), SIGUSR1); });
  loop.run();
  CHECK(received == 2);
}

TEST_CASE("signal: the watcher may be destroyed in its callback") {
  Loop loop;
  std::unique_ptr<SignalWatcher> watcher;
  watcher = std::make_unique<SignalWatcher>(loop, SIGUSR1, [&] {
    watcher.reset();
    loop.stop();
  });
  loop.post([] { ::kill(::getpid(), SIGUSR1); });
  loop.run();
  CHECK(watcher == nullptr);
}

}  // namespace magpie::net
