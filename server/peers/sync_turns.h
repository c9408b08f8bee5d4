#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

namespace magpie::server {

/// Which follower is sent the next piece of what it gets as a whole (full synchronisation, repair), and when: they have
/// turns, and all together at most a fifth of a loop's time while clients keep that loop busy. One thread.
class SyncTurns {
 public:
  /// `ticks` is a clock of any unit.
  explicit SyncTurns(std::function<std::uint64_t()> ticks) : ticks_(std::move(ticks)) {}

  /// Makes a piece for one of `links`, if there is time: false if it had nothing to do.
  using Piece = std::function<bool(std::size_t link)>;
  /// Once in a turn of the loop, which has executed so many commands so far. At most one piece is made. False if no
  /// link had anything to do.
  bool go_on(std::size_t links, std::uint64_t commands, const Piece& piece);

 private:
  std::function<std::uint64_t()> ticks_;
  std::size_t next_ = 0;  // whose turn it is
  std::uint64_t commands_before_ = 0;
  std::uint64_t began_ = 0;  // the last piece
  std::uint64_t ended_ = 0;
};

}  // namespace magpie::server
