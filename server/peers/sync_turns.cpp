#include "server/peers/sync_turns.h"

namespace magpie::server {

bool SyncTurns::go_on(std::size_t links, std::uint64_t commands, const Piece& piece) {
  constexpr std::uint64_t kRest = 4;  // times as long as the last piece took
  const bool busy = commands != commands_before_;
  commands_before_ = commands;
  if (busy && ticks_() - ended_ < kRest * (ended_ - began_)) return links > 0;
  for (std::size_t tried = 0; tried < links; ++tried) {
    next_ = (next_ + 1) % links;
    const std::uint64_t begin = ticks_();
    if (!piece(next_)) continue;
    began_ = begin;
    ended_ = ticks_();
    return true;
  }
  return false;
}

}  // namespace magpie::server
