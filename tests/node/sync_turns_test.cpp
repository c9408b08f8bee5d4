#include "server/peers/sync_turns.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>

using magpie::server::SyncTurns;

namespace {

constexpr std::uint64_t kPiece = 100;  // ticks that a piece takes
constexpr std::uint64_t kRest = 30;    // and whatever else a loop does in a turn

/// A loop on which some followers are sent everything.
struct SyncingLoop {
  void turns(int count, bool busy) {
    for (; count > 0; --count) {
      now += kRest;
      if (busy) ++commands;
      more = syncs.go_on(pieces.size(), commands, [&](std::size_t link) {
        if (done[link]) return false;
        ++pieces[link];
        now += kPiece;
        return true;
      });
    }
  }
  std::uint64_t worked() const { return (pieces[0] + pieces[1] + pieces[2]) * kPiece; }

  std::uint64_t now = 1'000'000;
  std::uint64_t commands = 0;
  std::array<std::uint64_t, 3> pieces{};
  std::array<bool, 3> done{};
  bool more = false;
  SyncTurns syncs{[this] { return now; }};
};

}  // namespace

TEST_CASE("all full synchronisations together get a fifth of a loop's time, in turns") {
  SyncingLoop loop;
  const std::uint64_t begin = loop.now;
  loop.turns(10'000, true);
  CHECK(loop.worked() * 5 <= loop.now - begin + 5 * kPiece);
  CHECK(loop.worked() * 6 >= loop.now - begin);
  for (const std::uint64_t pieces : loop.pieces) CHECK(pieces >= loop.pieces[0] - 1);
  CHECK(loop.more);
}

TEST_CASE("full synchronisation takes the time that nobody else needs, and ends") {
  SyncingLoop loop;
  loop.turns(1, false);
  loop.turns(300, false);
  CHECK(loop.pieces == std::array<std::uint64_t, 3>{100, 101, 100});
  loop.done = {true, false, true};
  loop.turns(10, false);
  CHECK(loop.pieces == std::array<std::uint64_t, 3>{100, 111, 100});
  CHECK(loop.more);
  loop.done = {true, true, true};
  loop.turns(1, false);
  CHECK_FALSE(loop.more);
}
